"""What a served model sees of a file is what it was trained on, or nothing."""

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from picture_kinds import PIXELS, bombs, exact_kinds, foreign_kinds, lossy_kinds

from models.data.image_decoding import ImageSpec, decode_and_resize
from models.data.normalisation import normalise
from models.data.sample_depth import SampleRange
from models.export.images import decode_images

SPEC = ImageSpec(32)
MAX_PIXELS = 100_000
EXACT, LOSSY, FOREIGN = exact_kinds(), lossy_kinds(), foreign_kinds()
BOMBS = bombs(5000)

Decode = Callable[[list[bytes]], np.ndarray]


def traced(sample_range: SampleRange | None, max_pixels: int) -> Decode:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def decode(images: tf.Tensor) -> tf.Tensor:
        return decode_images(images, SPEC, sample_range, max_pixels)

    return lambda images: decode(tf.constant(images, tf.string)).numpy()


@pytest.fixture(scope="module")
def decode() -> Decode:
    return traced(None, MAX_PIXELS)


def in_training(raw: bytes) -> np.ndarray:
    normalised = normalise(raw, MAX_PIXELS, takes_first=True)
    return decode_and_resize(tf.constant(normalised.encoded), SPEC).numpy()


@pytest.mark.parametrize("kind", EXACT)
def test_every_kind_looks_as_in_training(decode: Decode, kind: str) -> None:
    np.testing.assert_array_equal(decode([EXACT[kind]])[0], in_training(EXACT[kind]))


@pytest.mark.parametrize("kind", LOSSY)
def test_what_ingest_writes_anew_differs_by_its_rounding_alone(decode: Decode, kind: str) -> None:
    difference = np.abs(decode([LOSSY[kind]])[0] - in_training(LOSSY[kind]))
    assert difference.mean() < 1.0
    assert difference.max() < 4.0


def test_all_kinds_may_come_in_one_request(decode: Decode) -> None:
    images = [*EXACT.values(), *LOSSY.values()]
    together = decode(images)
    for image, alone in zip(images, together, strict=True):
        np.testing.assert_array_equal(decode([image])[0], alone)
    assert decode([]).shape == (0, 32, 32, 3)


@pytest.mark.parametrize("kind", FOREIGN)
def test_others_are_refused_in_words(decode: Decode, kind: str) -> None:
    image, words = FOREIGN[kind]
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        decode([EXACT["jpeg"], image])
    assert words in caught.value.message


def test_all_that_are_refused_are_named_by_position(decode: Decode) -> None:
    good, (webp, _), (tiff, _) = EXACT["png"], FOREIGN["webp"], FOREIGN["tiff"]
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        decode([good, webp, good, tiff])
    assert "image 1: it is a WebP" in caught.value.message
    assert "; image 3: it is a TIFF" in caught.value.message
    assert "image 0" not in caught.value.message


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_before_it_is_decoded(decode: Decode, kind: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"more than the limit|whole|picture"):
        decode([EXACT["jpeg"], BOMBS[kind]])


def test_a_png_of_16_bits_is_served_by_the_range_of_the_training() -> None:
    sample_range = SampleRange(0.0, 4095.0)
    decode = traced(sample_range, MAX_PIXELS)
    raw = [tf.io.encode_png(PIXELS.astype(np.uint16) * factor).numpy() for factor in (16, 30)]
    for image, served in zip(raw, decode(raw), strict=True):
        normalised = normalise(image, MAX_PIXELS, sample_range).encoded
        trained = decode_and_resize(tf.constant(normalised), SPEC)
        np.testing.assert_array_equal(served, trained)


@pytest.mark.slow
def test_large_images_of_one_request_take_memory_one_by_one() -> None:
    """Three PNGs of 27 megapixels; each takes 81 MB."""
    program = """
import resource, sys
from picture_kinds import bombs
import tensorflow as tf
from models.data.image_decoding import ImageSpec
from models.export.images import decode_images
run = tf.function(lambda images: decode_images(images, ImageSpec(32), None, 28_000_000))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
images = [bombs(5200)["png"]]
run(tf.constant([bombs(100)["png"]] * 3))
before = peak()
run(tf.constant(images * 3))
print((peak() - before) // 1024)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment).stdout
    assert int(told) < 150
