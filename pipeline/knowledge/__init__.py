"""What runs may learn from: where it lies, and the commands that look after it."""
