"""Keeping runs in the tracker that a team has."""
