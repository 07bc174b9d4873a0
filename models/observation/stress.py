"""Pictures made worse on purpose, to learn how a served model fails before it does.

Confidence that was calibrated on good pictures promises too much on bad ones. So a reference also
holds held-out images that were blurred, darkened, turned and so on, each by one change of random
strength, and what the model answered to them: how sure it was where it was wrong. From such sets
the accuracy on other changed images can be foretold (W. Deng and L. Zheng, "Are Labels Always
Necessary for Classifier Accuracy Evaluation?", CVPR 2021). The changes are as simple as they can
be, and much stronger than any user would stand at their ends.
"""

import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

_LONGEST: Final = 512
"""Pixels of the longest side that are worth changing; larger pictures are made smaller first."""

_SEEDS: Final = 2**31
_STEPS: Final = 16
"""Of strength, each of which as many pictures have."""

Pixels = NDArray[np.float32]
Picture = Image.Image
Chance = np.random.Generator
Change = Callable[[Picture, float, bool, Chance], Picture]
"""Of a picture, by a strength, in one of two ways, with what else is drawn."""


@dataclass(frozen=True)
class Stress:
    """What is done to one picture.

    Attributes:
        change: what is done, 0 to `CHANGES - 1`; each of `KINDS` in two ways, one after the other.
        strength: from 0, next to nothing, to 1, next to nothing is left.
        seed: where the rest of chance comes from.
    """

    change: int
    strength: float
    seed: int


def stressed(image: Picture, stress: Stress) -> Picture:
    """Makes a picture worse.

    Args:
        image: of any mode and size.
        stress: what is done to it.

    Returns:
        RGB, its longest side 512 pixels at most.
    """
    image = image.convert("RGB")
    image.thumbnail((_LONGEST, _LONGEST))
    random = np.random.default_rng([stress.seed, stress.change])
    kind = _KINDS[KINDS[stress.change // 2]]
    return kind(image, stress.strength, bool(stress.change % 2), random)


def stressed_bytes(encoded: bytes, stress: Stress) -> bytes:
    """`stressed` from encoded bytes to those of a PNG.

    Raises:
        OSError: Pillow cannot read the image.
    """
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(encoded)) as image:
        stressed(image, stress).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def stress_plan(names: Iterable[str]) -> tuple[Stress, ...]:
    """What is done to each of some pictures, by its name, and little by what others are there.

    The name alone decides what is done. The strengths of those to which the same is done are made
    even, as what is learned from a few dozen pictures of each depends on it; further pictures move
    few of the others to another strength, so that what is known of them can be used again.

    Args:
        names: each another one, [n].

    Returns:
        All changes about as often, and the strengths of each even over 0 to 1, [n].
    """
    draws = [_draws(name) for name in names]
    places: dict[int, list[int]] = defaultdict(list)
    for place in sorted(range(len(draws)), key=lambda place: draws[place].strength):
        places[draws[place].change].append(place)
    steps = {
        place: rank * _STEPS // len(own)
        for own in places.values()
        for rank, place in enumerate(own)
    }
    return tuple(
        Stress(draw.change, (steps[place] + draw.seed / _SEEDS) / _STEPS, draw.seed)
        for place, draw in enumerate(draws)
    )


def as_arrays(plan: Sequence[Stress]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Changes int32 [n] and strengths float32 [n]."""
    return (
        np.array([each.change for each in plan], np.int32),
        np.array([each.strength for each in plan], np.float32),
    )


def _draws(name: str) -> Stress:
    """What chance, drawn from the name, says of each."""
    digest = hashlib.sha256(name.encode()).digest()
    change, strength, seed = (int.from_bytes(digest[at : at + 8], "big") for at in (0, 8, 16))
    return Stress(change % CHANGES, strength / 2**64, seed % _SEEDS)


def _blurred(image: Picture, strength: float, way: bool, _random: Chance) -> Picture:
    kind = ImageFilter.BoxBlur if way else ImageFilter.GaussianBlur
    return image.filter(kind(0.08 * strength**1.5 * max(image.size)))


def _noisy(image: Picture, strength: float, way: bool, random: Chance) -> Picture:
    pixels = _pixels(image)
    channels = 3 if way else 1
    grain = random.normal(0.0, 100.0 * strength**1.5, (*pixels.shape[:2], channels))
    return _picture(pixels + grain)


def _lighter(image: Picture, strength: float, way: bool, _random: Chance) -> Picture:
    scaled = _pixels(image) / 255.0
    if way:
        return _picture(255.0 * scaled * 4.0**strength)
    return _picture(255.0 * scaled**0.2**strength)


def _darker(image: Picture, strength: float, way: bool, _random: Chance) -> Picture:
    scaled = _pixels(image) / 255.0
    if way:
        return _picture(255.0 * scaled * 0.03**strength)
    return _picture(255.0 * scaled**5.0**strength)


def _flatter(image: Picture, strength: float, way: bool, random: Chance) -> Picture:
    """All levels nearer to one, as in fog or with a lamp before the lens."""
    pixels = _pixels(image)
    level = pixels.mean() if way else random.uniform(0.0, 255.0)
    return _picture(level + (pixels - level) * (1.0 - 0.95 * strength))


def _harsher(image: Picture, strength: float, _way: bool, _random: Chance) -> Picture:
    pixels = _pixels(image)
    return _picture(pixels.mean() + (pixels - pixels.mean()) * 6.0**strength)


def _tinted(image: Picture, strength: float, _way: bool, random: Chance) -> Picture:
    gains = np.exp(strength * random.normal(0.0, 0.8, 3))
    return _picture(_pixels(image) * (gains / gains.mean()))


def _faded(image: Picture, strength: float, _way: bool, _random: Chance) -> Picture:
    pixels = _pixels(image)
    grey = pixels.mean(axis=2, keepdims=True)
    return _picture(grey + (pixels - grey) * (1.0 - strength))


def _packed(image: Picture, strength: float, _way: bool, _random: Chance) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=round(50.0 * (1.0 - strength) ** 2 + 2.0))
    return Image.open(buffer).convert("RGB")


def _coarse(image: Picture, strength: float, way: bool, _random: Chance) -> Picture:
    """Made small and large again."""
    least = min(1.0, 5.0 / min(image.size))
    small = image.resize([max(2, round(side * least**strength)) for side in image.size])
    return small.resize(image.size, Image.Resampling.BILINEAR if way else Image.Resampling.NEAREST)


def _turned(image: Picture, strength: float, way: bool, random: Chance) -> Picture:
    angle = random.choice((-1.0, 1.0)) * 180.0 * strength
    return image.rotate(angle, resample=Image.Resampling.BILINEAR, fillcolor=_edge(image, way))


def _nearer(image: Picture, strength: float, way: bool, random: Chance) -> Picture:
    return _moved(image, 0.3**strength, strength, way, random)


def _further(image: Picture, strength: float, way: bool, random: Chance) -> Picture:
    return _moved(image, 3.0**strength, strength, way, random)


def _moved(image: Picture, scale: float, strength: float, way: bool, random: Chance) -> Picture:
    """A larger or smaller part of the scene, and out of the middle."""
    width, height = image.size
    aside = random.uniform(-0.3, 0.3, 2) * strength
    place = (
        *(scale, 0.0, (0.5 - scale / 2 + aside[0]) * width),
        *(0.0, scale, (0.5 - scale / 2 + aside[1]) * height),
    )
    return image.transform(
        image.size,
        Image.Transform.AFFINE,
        place,
        resample=Image.Resampling.BILINEAR,
        fillcolor=_edge(image, way),
    )


def _covered(image: Picture, strength: float, _way: bool, random: Chance) -> Picture:
    """A part behind something of one colour."""
    width, height = image.size
    share = (0.9 * strength) ** 0.5
    wide, high = int(share * width), int(share * height)
    left, top = random.integers(0, width - wide + 1), random.integers(0, height - high + 1)
    red, green, blue = random.integers(0, 256, 3).tolist()
    corners = (int(left), int(top), int(left) + wide, int(top) + high)
    image.paste((red, green, blue), corners)
    return image


def _edge(image: Picture, way: bool) -> tuple[int, ...]:
    """What is seen beyond the edge: black, or the mean of the picture."""
    if way:
        return 0, 0, 0
    return tuple(int(level) for level in _pixels(image).mean(axis=(0, 1)))


def _pixels(image: Picture) -> Pixels:
    return np.asarray(image, np.float32)


def _picture(pixels: NDArray[Any]) -> Picture:
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), "RGB")


_KINDS: Final[dict[str, Change]] = {
    "blurred": _blurred,
    "noisy": _noisy,
    "lighter": _lighter,
    "darker": _darker,
    "flatter": _flatter,
    "harsher": _harsher,
    "tinted": _tinted,
    "faded": _faded,
    "packed": _packed,
    "coarse": _coarse,
    "turned": _turned,
    "nearer": _nearer,
    "further": _further,
    "covered": _covered,
}
KINDS: Final = tuple(_KINDS)
"""What can be done to a picture."""
CHANGES: Final = 2 * len(KINDS)
