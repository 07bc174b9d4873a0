"""The served model: an embedded server with the TF Serving API, and its client."""
