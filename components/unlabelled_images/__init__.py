"""Images without labels, taken in as carefully as labelled ones."""
