"""The model card: what a pushed model is for, how good it is, and where it comes from."""
