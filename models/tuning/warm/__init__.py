"""Searches that start from what earlier ones found."""
