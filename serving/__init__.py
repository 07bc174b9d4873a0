"""The served model: a server with TensorFlow Serving's API, and its client."""
