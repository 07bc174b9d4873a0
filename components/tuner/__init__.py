"""The search for backbone, image size, how much is trained, and how."""
