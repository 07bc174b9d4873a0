"""What may happen to a camera or to those who send pictures: changes of strength 1 (mild) to 3.

None of it is used to make or to tune what is measured. `HELD_BACK` was not even looked at before
the figures in RESULTS.md were made.
"""

import io
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Picture = Image.Image
Corruption = Callable[[Picture, float, np.random.Generator], Picture]


def _blur(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    return picture.filter(ImageFilter.GaussianBlur(0.012 * strength * max(picture.size)))


def _brighter(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    return ImageEnhance.Brightness(picture).enhance(1.0 + 0.4 * strength)


def _darker(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    return ImageEnhance.Brightness(picture).enhance(0.6**strength)


def _contrast(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    return ImageEnhance.Contrast(picture).enhance(0.6**strength)


def _noise(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    pixels = _pixels(picture)
    return _picture(pixels + random.normal(0.0, 15.0 * strength, pixels.shape))


def _rotation(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    angle = random.choice((-1, 1)) * 20.0 * strength
    return picture.rotate(angle, resample=Image.Resampling.BILINEAR)


def _jpeg(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=round(32 / 2**strength))
    return Image.open(buffer).convert("RGB")


def _grey(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    return ImageEnhance.Color(picture).enhance(max(0.0, 1.0 - 0.5 * strength))


def _pixelate(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    width, height = picture.size
    factor = 1.0 + 1.2 * strength
    small = picture.resize((max(2, int(width / factor)), max(2, int(height / factor))), 4)
    return small.resize((width, height), Image.Resampling.NEAREST)


def _motion(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    pixels = _pixels(picture)
    reach = max(2, round(0.04 * strength * pixels.shape[1]))
    moved = [np.roll(pixels, step, axis=1) for step in range(reach)]
    return _picture(np.mean(moved, axis=0))


def _occlusion(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    pixels = _pixels(picture)
    side = (0.2 + 0.12 * strength) * np.array(pixels.shape[:2])
    top, left = (random.uniform(0, np.array(pixels.shape[:2]) - side)).astype(int)
    pixels[top : top + int(side[0]), left : left + int(side[1])] = 127.0
    return _picture(pixels)


def _warm(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    return _picture(_pixels(picture) * (1.0 + np.array([0.2, 0.0, -0.2]) * strength))


def _further(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    width, height = picture.size
    scale = 0.8**strength
    small = picture.resize((max(1, int(width * scale)), max(1, int(height * scale))))
    canvas = Image.new("RGB", picture.size)
    canvas.paste(small, ((width - small.width) // 2, (height - small.height) // 2))
    return canvas


def _fog(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    pixels = _pixels(picture)
    cloud = _picture(random.uniform(120, 255, (4, 4, 3)).mean(axis=2, keepdims=True).repeat(3, 2))
    share = 0.22 * strength
    return _picture((1 - share) * pixels + share * _pixels(cloud.resize(picture.size, 3)))


def _mirror(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    return ImageOps.flip(picture) if strength >= 2 else ImageOps.mirror(picture)


def _salt(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    pixels = _pixels(picture)
    hit = random.random(pixels.shape[:2])
    pixels[hit < 0.02 * strength] = 0.0
    pixels[hit > 1.0 - 0.02 * strength] = 255.0
    return _picture(pixels)


def _posterise(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    return ImageOps.posterize(picture, round(4 - strength))


def _inverted(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del strength, random
    return ImageOps.invert(picture)


def _vignette(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    pixels = _pixels(picture)
    down, across = (np.linspace(-1.0, 1.0, side) for side in pixels.shape[:2])
    far = np.sqrt(down[:, None] ** 2 + across**2)[:, :, None]
    return _picture(pixels * np.clip(1.0 - 0.35 * strength * far**2, 0.0, 1.0))


def _sideways(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Light from one side."""
    pixels = _pixels(picture)
    slope = np.linspace(-1.0, 1.0, pixels.shape[1])[None, :, None] * random.choice((-1, 1))
    return _picture(pixels * np.exp(0.5 * strength * slope))


def _glass(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    pixels = _pixels(picture)
    height, width = pixels.shape[:2]
    reach = max(1, round(0.012 * strength * max(height, width)))
    aside = random.integers(-reach, reach + 1, (2, height, width))
    rows = np.clip(np.arange(height)[:, None] + aside[0], 0, height - 1)
    columns = np.clip(np.arange(width) + aside[1], 0, width - 1)
    return _picture(pixels[rows, columns])


def _stripes(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Rows that a bad sensor reads too high or too low."""
    pixels = _pixels(picture)
    return _picture(pixels + random.normal(0.0, 18.0 * strength, (len(pixels), 1, 1)))


def _sharpened(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    return ImageEnhance.Sharpness(picture).enhance(1.0 + 4.0 * strength)


def _shear(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    lean = random.choice((-1, 1)) * 0.2 * strength
    place = (1.0, lean, -lean * picture.height / 2, 0.0, 1.0, 0.0)
    return picture.transform(picture.size, Image.Transform.AFFINE, place)


def _hue(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    hue, saturation, value = picture.convert("HSV").split()
    turned = hue.point(lambda level: (level + round(30 * strength)) % 256)
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def _vivid(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    del random
    return ImageEnhance.Color(picture).enhance(1.0 + strength)


def _scratches(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    drawn = picture.copy()
    width, height = picture.size
    for _ in range(round(4 * strength)):
        ends = random.uniform(0, 1, 4) * (width, height, width, height)
        thick = max(1, round(0.015 * max(picture.size)))
        ImageDraw.Draw(drawn).line(ends.tolist(), fill=(200, 200, 200), width=thick)
    return drawn


def _narrow(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Squeezed, as by a camera that tells another shape of its pixels."""
    del random
    width, height = picture.size
    small = picture.resize((max(2, round(width * 0.75**strength)), height))
    canvas = Image.new("RGB", picture.size, (127, 127, 127))
    canvas.paste(small, ((width - small.width) // 2, 0))
    return canvas


OPEN: Final[dict[str, Corruption]] = {
    "blur": _blur,
    "brighter": _brighter,
    "darker": _darker,
    "contrast": _contrast,
    "noise": _noise,
    "rotation": _rotation,
    "jpeg": _jpeg,
    "grey": _grey,
    "pixelate": _pixelate,
    "occlusion": _occlusion,
}
"""To develop with."""

HELD_BACK: Final[dict[str, Corruption]] = {
    "motion": _motion,
    "warm": _warm,
    "further": _further,
    "fog": _fog,
    "mirror": _mirror,
    "salt": _salt,
    "posterise": _posterise,
    "inverted": _inverted,
}
"""To measure with; `LATER` was made when these had been looked at."""

LATER: Final[dict[str, Corruption]] = {
    "vignette": _vignette,
    "sideways": _sideways,
    "glass": _glass,
    "stripes": _stripes,
    "sharpened": _sharpened,
    "shear": _shear,
    "hue": _hue,
    "vivid": _vivid,
    "scratches": _scratches,
    "narrow": _narrow,
}
"""To measure with as well."""


OF_COLOUR: Final = ("grey-2", "swapped")
"""Those that leave a grey picture as it was."""


def black(picture: Picture) -> Picture:
    """A frame of a camera that sees nothing."""
    return Image.new("RGB", picture.size)


def swapped(picture: Picture) -> Picture:
    """Blue where red should be."""
    return Image.merge("RGB", picture.split()[::-1])


def corrupted(picture: Picture, shift: str, random: np.random.Generator) -> Picture:
    """Changes a picture.

    Args:
        picture: RGB.
        shift: "clean", "black", "swapped", or a name of `OPEN`, `HELD_BACK` or `LATER`, a hyphen
            and the strength, such as "blur-2".
        random: where chance comes from.
    """
    simple: dict[str, Callable[[Picture], Picture]] = {
        "clean": lambda same: same,
        "black": black,
        "swapped": swapped,
    }
    if shift in simple:
        return simple[shift](picture)
    kind, _, strength = shift.partition("-")
    return {**OPEN, **HELD_BACK, **LATER}[kind](picture, float(strength), random)


def _pixels(picture: Picture) -> NDArray[Any]:
    return np.asarray(picture, np.float32).copy()


def _picture(pixels: NDArray[Any]) -> Picture:
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), "RGB")
