"""How large a reference may be; apart from it, so that the configuration needs no NumPy."""

from typing import Final

MOST_IMAGES: Final = 2_000
"""Held-out images, and anchors, that a reference has at most."""
MOST_STRESSED: Final = 4_000
"""Images made worse on purpose that a reference has at most."""
