"""Searches built on the oracles: for a head, and for the settings of fine-tuning."""
