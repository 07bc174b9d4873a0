"""The search for the head's hyperparameters, on embeddings."""
