"""Models as they were exported, and what they make of images."""
