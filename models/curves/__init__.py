"""Learning curves: what is known of them, what they promise, and which one to buy more of."""
