"""Stops the run before anything expensive when validation found an error."""
