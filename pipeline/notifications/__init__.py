"""Telling people, or their tools, how a run ended."""
