"""The stock TFX Trainer with the embeddings as one more input."""
