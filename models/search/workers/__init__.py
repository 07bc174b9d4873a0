"""One search, many workers: processes of this machine and others that join from elsewhere."""
