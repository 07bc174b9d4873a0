"""Opening an image, however large: the caller looks at its size before any pixel is decoded."""

import contextlib
import io
import struct
from collections.abc import Sequence

from PIL import (  # noqa: F401  (importing a plugin registers its format)
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM")


def open_image(raw: bytes, formats: Sequence[str] = FORMATS) -> Image.Image:
    """Reads the header alone, as `Image.open` does without its limit.

    That limit belongs to the whole process: to lift it for Graft would lift it for everyone. The
    tiles of a TIFF, whose size its header does not bound, stay under it.

    Args:
        raw: the file's bytes.
        formats: to try, of `FORMATS`.

    Raises:
        UnidentifiedImageError: it is none of these.
        Exception: a header parser fed with broken bytes raises almost anything.
    """
    for name in formats:
        factory, accept = Image.OPEN[name]
        if accept is None or accept(raw[:16]) is True:
            # By these a parser says that it is another format.
            with contextlib.suppress(SyntaxError, IndexError, TypeError, struct.error):
                return factory(io.BytesIO(raw), "")
    raise UnidentifiedImageError("an image of no known format")
