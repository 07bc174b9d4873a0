"""The search for a head's hyperparameters, on embeddings that are computed once."""
