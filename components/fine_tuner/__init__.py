"""The search for the settings of fine-tuning, between the head's search and the training."""
