"""Checks what TensorFlow Data Validation cannot see: duplicates, classes, quarantine."""
