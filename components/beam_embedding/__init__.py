"""The frozen backbone over images, by Beam's workers."""
