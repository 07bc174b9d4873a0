"""What a server notes of each request: counts for Prometheus, and an entry for the log."""
