import numpy as np

from models.training.augmentation import changed_views, mirrored
from models.training.mirroring import is_harmless


def bright_on_the_left(count: int) -> np.ndarray:
    images = np.full((count, 32, 32, 3), 60.0, np.float32)
    images[:, :, :16] = 200.0
    return images


def is_bright_on_the_left(images: np.ndarray) -> np.ndarray:
    return images[:, :, :12].mean(axis=(1, 2, 3)) > images[:, :, 20:].mean(axis=(1, 2, 3))


def test_views_differ_within_the_range_of_pixels_and_repeat_with_the_seed():
    images = np.random.default_rng(0).uniform(0, 255, (8, 32, 32, 3)).astype(np.float32)
    views = changed_views(images, np.random.default_rng(1), mirror=True)
    again = changed_views(images, np.random.default_rng(1), mirror=True)
    np.testing.assert_array_equal(views, again)
    assert views.shape == images.shape
    assert views.dtype == np.float32
    assert 0.0 <= views.min() < views.max() <= 255.0
    assert (np.abs(views - images).mean(axis=(1, 2, 3)) > 1.0).all()


def test_only_mirroring_changes_sides():
    images = bright_on_the_left(64)
    kept = changed_views(images, np.random.default_rng(0), mirror=False)
    assert is_bright_on_the_left(kept).all()
    half = changed_views(images, np.random.default_rng(0), mirror=True)
    assert 16 < is_bright_on_the_left(half).sum() < 48
    assert not is_bright_on_the_left(mirrored(images)).any()


def test_what_is_in_the_middle_stays_in_the_picture():
    images = np.zeros((64, 33, 33, 3), np.float32)
    images[:, 15:18, 15:18] = 255.0
    views = changed_views(images, np.random.default_rng(0), mirror=True)
    assert (views.max(axis=(1, 2, 3)) > 150.0).all()


def test_the_mirror_is_used_where_it_costs_little():
    assert is_harmless(0.80, 0.78)
    assert is_harmless(0.80, 0.90)
    assert not is_harmless(0.80, 0.70)
