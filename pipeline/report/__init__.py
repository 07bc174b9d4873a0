"""What a run leaves for people and machines to read: one HTML file and `summary.json`."""
