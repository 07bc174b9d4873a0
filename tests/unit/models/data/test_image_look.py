import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from models.data.image_look import find_likeness

_SIZE = 48


def scenes(count: int, seed: int) -> NDArray[np.float32]:
    """Coloured rectangles with a little grain."""
    generator = np.random.default_rng(seed)
    images = np.empty((count, _SIZE, _SIZE, 3), np.float32)
    for image in images:
        image[:] = generator.uniform(80, 180, 3)
        for _ in range(6):
            top, left = generator.integers(0, _SIZE - 8, 2)
            height, width = generator.integers(4, 24, 2)
            image[top : top + height, left : left + width] = generator.uniform(20, 235, 3)
    images += generator.normal(0.0, 3.0, images.shape)
    return np.clip(images, 0.0, 255.0)


def grey(images: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.repeat(images.mean(axis=3, keepdims=True), 3, axis=3)


def blurred(images: NDArray[np.float32]) -> NDArray[np.float32]:
    blur = ImageFilter.GaussianBlur(2)
    return np.stack(
        [np.asarray(Image.fromarray(each.astype(np.uint8)).filter(blur)) for each in images]
    ).astype(np.float32)


def noisy(images: NDArray[np.float32]) -> NDArray[np.float32]:
    noise = np.random.default_rng(9).normal(0.0, 20.0, (*images.shape[:3], 1))
    return np.clip(images + noise, 0.0, 255.0).astype(np.float32)


def colourfulness(images: NDArray[np.float32]) -> float:
    return float((images.max(axis=3) - images.min(axis=3)).mean())


def grain(images: NDArray[np.float32]) -> float:
    """Mean difference of neighbours."""
    return float(np.abs(np.diff(images.mean(axis=3), axis=2)).mean())


def cast(images: NDArray[np.float32]) -> float:
    return float(images[..., 2].mean() / images[..., 0].mean())


@pytest.mark.parametrize(
    ("change", "measure"),
    [
        (grey, colourfulness),
        (blurred, grain),
        (noisy, grain),
        (lambda images: images * np.array([1.0, 0.8, 0.5], np.float32), cast),
    ],
)
def test_copies_look_like_other_images_of_the_target(change, measure):
    ours, theirs = scenes(40, 0), change(scenes(40, 1))
    copies = find_likeness(ours, theirs).applied(scenes(40, 2), np.random.default_rng(0))
    far = abs(measure(scenes(40, 2)) - measure(theirs))
    assert abs(measure(copies) - measure(theirs)) < 0.6 * far
    assert copies.dtype == np.float32
    assert copies.min() >= 0.0
    assert copies.max() <= 255.0


def test_images_of_the_same_domain_stay_nearly_as_they_are():
    ours = scenes(60, 0)
    copies = find_likeness(ours, scenes(60, 1)).applied(ours, np.random.default_rng(0))
    assert np.abs(copies - ours).mean() < 8.0


def test_a_target_of_one_colour_is_no_trouble():
    flat = np.full((30, _SIZE, _SIZE, 3), 90.0, np.float32)
    copies = find_likeness(scenes(30, 0), flat).applied(scenes(8, 1), np.random.default_rng(0))
    assert np.isfinite(copies).all()
    assert np.abs(copies - 90.0).mean() < 10.0
    back = find_likeness(flat, scenes(30, 0)).applied(flat, np.random.default_rng(0))
    assert np.isfinite(back).all()


@pytest.mark.parametrize("size", [16, 33])
def test_images_may_be_of_any_size(size):
    images = scenes(30, 0)[:, :size, :size]
    copies = find_likeness(images, blurred(images)).applied(images, np.random.default_rng(0))
    assert copies.shape == images.shape
