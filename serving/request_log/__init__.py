"""The log of a server's answers: what takes them, keeps them, and lets them go."""
