"""Transfer learning: strategies, training loops, and what they leave behind."""
