"""An image as a page shows it: small, inside the page itself."""

import base64
import io
from typing import Final

from models.data.image_opening import open_image

_QUALITY: Final = 75


def small_picture(encoded: bytes, side: int) -> str:
    """Makes a data URI of a small JPEG.

    Args:
        encoded: the image as it was sent or read.
        side: longest side in pixels.

    Raises:
        OSError: it is damaged, or no image.
        ValueError: likewise.
    """
    with open_image(encoded) as image:
        image.draft("RGB", (2 * side, 2 * side))
        small = image.convert("RGB")
    small.thumbnail((side, side))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return jpeg_uri(file.getvalue())


def jpeg_uri(jpeg: bytes) -> str:
    """A data URI of a JPEG."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
