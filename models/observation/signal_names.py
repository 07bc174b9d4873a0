"""Names of the figures of the picture itself; `models/export/image_signals.py` computes them."""

from typing import Final

IMAGE_SIGNALS: Final = ("brightness", "contrast", "sharpness", "colour", "warmth")
"""Order of the columns."""
