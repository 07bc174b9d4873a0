"""The component that decides, in words, whether a model may be pushed."""
