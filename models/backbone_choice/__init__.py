"""The choice of a backbone before the first training: quick scores and measured cost."""
