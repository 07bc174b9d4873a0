"""One search on many machines: the run makes trials and serves its oracle, workers join it."""
