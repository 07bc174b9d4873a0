import numpy as np
import pytest
from perceptual_hash import hamming_distance
from PIL import Image
from scipy import ndimage
from scipy.fft import dctn

from models.data.image_statistics import (
    THUMBNAIL_SIDE,
    describe,
    perceptual_hash,
    thumbnail_factor,
)


def scene(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(height, width))
    smooth = ndimage.gaussian_filter(noise, min(height, width) / 8)
    smooth -= smooth.min()
    return (smooth / smooth.max() * 255).astype(np.uint8)


def test_brightness_and_sharpness_agree_with_scipy():
    thumbnail = scene(96, 128)
    luma = thumbnail / 255.0
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    edges = ndimage.convolve(luma, kernel)[1:-1, 1:-1]
    figures = describe(thumbnail)
    assert figures.brightness_mean == pytest.approx(luma.mean(), rel=1e-5)
    assert figures.brightness_std == pytest.approx(luma.std(), rel=1e-4)
    assert figures.sharpness == pytest.approx(edges.var(), rel=1e-3)


def test_blur_lowers_sharpness():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    blurred = ndimage.gaussian_filter(noise, 1.5)
    assert describe(blurred).sharpness < 0.1 * describe(noise).sharpness


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (3, 3), (128, 1)])
def test_tiny_thumbnails_have_figures(shape):
    figures = describe(np.full(shape, 255, np.uint8))
    assert figures.brightness_mean == pytest.approx(1.0)
    assert figures.brightness_std == pytest.approx(0.0, abs=1e-3)
    assert figures.sharpness == pytest.approx(0.0, abs=1e-6)
    assert len(figures.phash) == 16


def test_hash_is_the_published_one():
    luma = scene(64, 96).astype(np.float32)
    grid = luma.reshape(32, 2, 32, 3).mean(axis=(1, 3))
    low = dctn(grid, type=2)[:8, :8]
    bits = low > np.median(low)
    assert perceptual_hash(luma) == np.packbits(bits).tobytes().hex()


def test_hash_survives_size_and_light_but_not_another_picture():
    picture = scene(120, 120)
    original = describe(picture).phash
    smaller = describe(picture[::2, ::2]).phash
    darker = describe((picture * 0.7).astype(np.uint8)).phash
    assert hamming_distance(original, smaller) <= 4
    assert hamming_distance(original, darker) <= 2
    assert hamming_distance(original, describe(scene(120, 120, seed=1)).phash) > 12


@pytest.mark.parametrize(
    ("size", "factor"), [((1, 1), 1), ((128, 128), 1), ((129, 65), 2), ((1000, 4000), 32)]
)
def test_thumbnails_are_halved_until_they_fit(size, factor):
    assert thumbnail_factor(*size) == factor
    assert max(size) <= factor * THUMBNAIL_SIDE


@pytest.mark.parametrize(
    ("size", "factor"),
    [((2000, 20), 1), ((20, 2000), 1), ((1600, 100), 4), ((9_000_000, 4), 8192)],
)
def test_thumbnails_of_strips_keep_their_short_side_while_they_are_no_longer_than_2048(
    size, factor
):
    assert thumbnail_factor(*size) == factor


def test_strips_of_other_texts_do_not_look_alike():
    random = np.random.default_rng(0)
    ink = (random.random((2, 10, 400)) < 0.4).repeat(5, axis=2)
    strips = np.pad(np.where(ink, 40, 220), ((0, 0), (5, 5), (0, 0)), constant_values=220)
    figures = []
    for strip in strips.astype(np.uint8):
        picture = Image.fromarray(strip)
        figures.append(describe(np.asarray(picture.reduce(thumbnail_factor(*picture.size)))))
    assert all(figure.brightness_std > 0.2 and figure.sharpness > 0.01 for figure in figures)
    assert hamming_distance(figures[0].phash, figures[1].phash) > 12
