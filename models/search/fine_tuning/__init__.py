"""The search for the few settings of fine-tuning that need the backbone, by real fine-tunings."""
