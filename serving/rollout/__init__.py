"""The canary: its evidence, the judge, and the way to promotion or back."""
