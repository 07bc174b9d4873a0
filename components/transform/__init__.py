"""The stock TFX Transform, which learns the label vocabulary."""
