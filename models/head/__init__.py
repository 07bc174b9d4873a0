"""The classification head on frozen features: its hyperparameters, training and score."""
