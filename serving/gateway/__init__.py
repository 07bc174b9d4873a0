"""nginx in front of the model servers: shares, copies, request ids, limits, TLS and keys."""
