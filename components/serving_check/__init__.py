"""Proof that the exported model serves: real images through the real API."""
