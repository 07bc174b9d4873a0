"""What may happen to images on their way to a model.

`SHOWN` are those that the methods were made with; `KEPT_BACK` are others, of which nothing was
tuned to. Sizes go by the image's shorter side, so that they mean the same for any data.
"""

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

Random = np.random.Generator
Change = Callable[[Image.Image, Random], Image.Image]


def _blur(image: Image.Image, random: Random) -> Image.Image:
    del random
    return image.filter(ImageFilter.GaussianBlur(min(image.size) / 40))


def _dark(image: Image.Image, random: Random) -> Image.Image:
    del random
    return ImageEnhance.Brightness(image).enhance(0.6)


def _noise(image: Image.Image, random: Random) -> Image.Image:
    pixels = np.asarray(image, np.float32)
    return _image(pixels + random.normal(0, 25, pixels.shape))


def _rotation(image: Image.Image, random: Random) -> Image.Image:
    return image.rotate(random.choice([-1, 1]) * random.uniform(20, 30), Image.Resampling.BILINEAR)


def _jpeg(image: Image.Image, random: Random) -> Image.Image:
    del random
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", quality=10)
    return Image.open(buffer).convert("RGB")


def _grey(image: Image.Image, random: Random) -> Image.Image:
    del random
    return ImageOps.grayscale(image).convert("RGB")


def _flat(image: Image.Image, random: Random) -> Image.Image:
    del random
    return ImageEnhance.Contrast(image).enhance(0.5)


def _pixelated(image: Image.Image, random: Random) -> Image.Image:
    del random
    width, height = image.size
    small = image.resize((max(width // 4, 1), max(height // 4, 1)), Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.NEAREST)


def _specks(image: Image.Image, random: Random) -> Image.Image:
    pixels = np.array(image)
    places = random.random(pixels.shape[:2])
    pixels[places < 0.02] = 0
    pixels[places > 0.98] = 255
    return Image.fromarray(pixels)


def _covered(image: Image.Image, random: Random) -> Image.Image:
    width, height = image.size
    side = min(width, height) // 3
    corner = (int(random.integers(width - side + 1)), int(random.integers(height - side + 1)))
    covered = image.copy()
    covered.paste((128, 128, 128), (*corner, corner[0] + side, corner[1] + side))
    return covered


def _swapped(image: Image.Image, random: Random) -> Image.Image:
    del random
    return Image.fromarray(np.ascontiguousarray(np.asarray(image)[..., ::-1]))


def _zoomed(image: Image.Image, random: Random) -> Image.Image:
    del random
    width, height = image.size
    border = (width // 6, height // 6, width - width // 6, height - height // 6)
    return image.crop(border).resize(image.size, Image.Resampling.BILINEAR)


def _bright(image: Image.Image, random: Random) -> Image.Image:
    del random
    return _image(255 * (np.asarray(image, np.float32) / 255) ** 0.6)


def _inverted(image: Image.Image, random: Random) -> Image.Image:
    del random
    return ImageOps.invert(image)


def _image(pixels: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


SHOWN: Final[dict[str, Change]] = {
    "blur": _blur,
    "brightness": _dark,
    "noise": _noise,
    "rotation": _rotation,
    "jpeg": _jpeg,
    "grey": _grey,
}
KEPT_BACK: Final[dict[str, Change]] = {
    "contrast": _flat,
    "pixelated": _pixelated,
    "specks": _specks,
    "covered": _covered,
    "swapped": _swapped,
    "zoomed": _zoomed,
    "gamma": _bright,
    "inverted": _inverted,
}
ALL: Final = {**SHOWN, **KEPT_BACK}
COLOURS: Final = ("grey", "swapped")
"""Those that leave a grey image as it was."""


def corrupt(encoded: bytes, kind: str, random: Random) -> bytes:
    """Changes an image.

    Args:
        encoded: of any format that Pillow reads.
        kind: a key of `ALL`.
        random: where a change is not always the same.

    Returns:
        PNG.
    """
    with Image.open(io.BytesIO(encoded)) as opened:
        changed = ALL[kind](opened.convert("RGB"), random)
    buffer = io.BytesIO()
    changed.save(buffer, "png", compress_level=1)
    return buffer.getvalue()
