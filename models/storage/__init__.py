"""Files that are whole or absent, sealed, in local folders or in buckets."""
