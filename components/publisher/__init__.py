"""The publication: a pushed version goes to object storage, for servers elsewhere."""
