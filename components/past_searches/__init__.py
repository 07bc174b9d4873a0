"""What earlier searches left, found for those that a run makes next."""
