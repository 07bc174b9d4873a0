"""Values of requests and answers: protos and JSON to and from NumPy arrays."""
