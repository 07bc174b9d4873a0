"""What the APIs share: a signature, run on the tensors of a request."""
