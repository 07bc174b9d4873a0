import dataclasses
import io
from itertools import combinations

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from models.data.image_statistics import ImageStatistics, describe, thumbnail_factor
from models.data.near_duplicates import Appearance, Tolerance, near_duplicates, parse_hashes

ANY_LOOK = Tolerance(brightness=1e9, sharpness=1e9, aspect=1e9)


def appearance(hashes: list[int], **columns: list[float]) -> Appearance:
    values = {"brightness_mean": 0.5, "brightness_std": 0.2, "sharpness": 0.01, "aspect": 1.0}
    default = {key: [value] * len(hashes) for key, value in values.items()}
    look = {key: np.array(column, np.float32) for key, column in (default | columns).items()}
    return Appearance(phash=np.array(hashes, np.uint64), **look)


def statistics_of(image: Image.Image) -> ImageStatistics:
    grey = image.convert("L").reduce(thumbnail_factor(*image.size))
    return describe(np.asarray(grey))


def appearance_of(images: list[Image.Image]) -> Appearance:
    figures = [statistics_of(image) for image in images]
    return Appearance(
        phash=parse_hashes([figure.phash for figure in figures]),
        brightness_mean=np.array([figure.brightness_mean for figure in figures], np.float32),
        brightness_std=np.array([figure.brightness_std for figure in figures], np.float32),
        sharpness=np.array([figure.sharpness for figure in figures], np.float32),
        aspect=np.array([image.width / image.height for image in images], np.float32),
    )


def compressed(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


@pytest.mark.parametrize("bits", [0, 1, 2, 5, 16])
def test_finds_the_same_pairs_as_comparing_all(bits: int) -> None:
    random = np.random.default_rng(bits)
    base = [int(value) for value in random.integers(0, 2**63, 20)]
    flips = [sum(1 << int(bit) for bit in random.choice(64, 3, replace=False)) for _ in range(200)]
    hashes = [base[index % 20] ^ flip for index, flip in enumerate(flips)]
    expected = [
        (i, j)
        for i, j in combinations(range(len(hashes)), 2)
        if (hashes[i] ^ hashes[j]).bit_count() <= bits
    ]
    found = near_duplicates(appearance(hashes), dataclasses.replace(ANY_LOOK, bits=bits))
    assert [tuple(pair) for pair in found] == expected


@pytest.mark.parametrize(
    ("column", "alike", "different"),
    [
        ("brightness_mean", 0.51, 0.53),
        ("brightness_std", 0.21, 0.23),
        ("sharpness", 0.012, 0.02),
        ("aspect", 1.03, 1.1),
    ],
)
def test_equal_hashes_alone_do_not_make_a_near_duplicate(column, alike, different) -> None:
    plain = float(getattr(appearance([7]), column)[0])
    look = appearance([7, 7, 7], **{column: [plain, alike, different]})
    assert [0, 1] in near_duplicates(look, Tolerance()).tolist()
    assert [0, 2] not in near_duplicates(look, Tolerance()).tolist()


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (0.0, 4e-6, True),  # ten times next to nothing is noise
        (1e-7, 4e-6, True),
        (0.0, 6e-6, False),
        (1e-4, 1.8e-4, False),
    ],
)
def test_the_sharpness_of_nearly_flat_images_is_noise(one, other, alike) -> None:
    pairs = near_duplicates(appearance([7, 7], sharpness=[one, other]), Tolerance())
    assert (len(pairs) == 1) is alike


def test_flat_images_are_never_reported() -> None:
    assert len(near_duplicates(appearance([3, 3], brightness_std=[0.01, 0.01]), Tolerance())) == 0


def test_a_photograph_resized_or_compressed_again_is_found_and_another_is_not() -> None:
    china, flower = (Image.fromarray(array) for array in load_sample_images().images)
    resized = china.resize((320, 214), Image.Resampling.BICUBIC)
    images = [china, flower, compressed(china, 60), resized]
    pairs = near_duplicates(appearance_of(images), Tolerance()).tolist()
    assert pairs == [[0, 2], [0, 3], [2, 3]]


def test_no_images() -> None:
    assert near_duplicates(appearance([]), Tolerance()).shape == (0, 2)


def test_many_images_are_compared_with_few() -> None:
    random = np.random.default_rng(0)
    count = 100_000
    uniform = random.uniform(0.1, 0.9, (4, count)).astype(np.float32)
    look = Appearance(random.integers(0, 2**63, count, dtype=np.uint64), *uniform)
    twin = look.take(np.append(np.arange(count), 4711))
    assert near_duplicates(twin, Tolerance()).tolist() == [[4711, count]]
