import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_sample_image

from models.data.image_decoding import ImageSpec, compiled_decoding, decode_and_resize
from models.errors import UsageError
from models.export.images import decode_images


def encode(pixels: np.ndarray, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def decoded(encoded: bytes, spec: ImageSpec) -> np.ndarray:
    return decode_and_resize(tf.constant(encoded), spec).numpy()


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    """640 x 427 pixels."""
    return load_sample_image("flower.jpg")


@pytest.fixture(scope="module")
def files(photograph: np.ndarray) -> list[bytes]:
    grey = photograph.mean(axis=2).astype(np.uint8)
    return [
        encode(photograph, "JPEG"),
        encode(photograph[:60, :31], "JPEG"),
        encode(photograph, "PNG"),
        encode(grey, "JPEG"),
        encode(grey[:5, :7], "PNG"),
    ]


class _Exported(tf.Module):
    """A serving signature around the decoder."""

    def __init__(self, spec: ImageSpec) -> None:
        super().__init__()
        self._spec = spec

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serve(self, encoded: tf.Tensor) -> tf.Tensor:
        return decode_images(encoded, self._spec, None, 1_000_000)


@pytest.mark.parametrize("resize", ["stretch", "pad", "crop"])
def test_every_user_gets_the_same_tensor(files: list[bytes], tmp_path: Path, resize: Any) -> None:
    spec = ImageSpec(48, resize)
    eager = np.stack([decoded(one, spec) for one in files])
    assert eager.shape == (5, 48, 48, 3)
    assert eager.dtype == np.float32

    stream = tf.data.Dataset.from_tensor_slices(files)
    parallel = stream.map(compiled_decoding(spec), num_parallel_calls=2)
    in_training = np.stack(list(parallel.as_numpy_iterator()))
    tf.saved_model.save(_Exported(spec), str(tmp_path / "model"))
    served = tf.saved_model.load(str(tmp_path / "model")).serve(tf.constant(files)).numpy()

    np.testing.assert_array_equal(in_training, eager)
    np.testing.assert_array_equal(served, eager)


def test_pixels_stay_what_they_were() -> None:
    """Whoever changes these pixels must raise DECODE_VERSION, or cached embeddings go stale."""
    ramp = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)
    image = decoded(encode(ramp, "PNG"), ImageSpec(3))[..., 0]
    expected = [[25.143, 43.0, 60.857], [97.143, 115.0, 132.857], [169.143, 187.0, 204.857]]
    np.testing.assert_allclose(image, expected, atol=0.01)


def test_grey_becomes_rgb(files: list[bytes]) -> None:
    image = decoded(files[3], ImageSpec(64))
    np.testing.assert_array_equal(image[..., 0], image[..., 1])
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


def test_pad_keeps_the_whole_image_between_black_bars() -> None:
    white = encode(np.full((20, 40, 3), 255, np.uint8), "PNG")
    image = decoded(white, ImageSpec(40, "pad"))
    assert image[:9].max() == 0
    assert image[31:].max() == 0
    assert image[11:29].min() == pytest.approx(255)


def test_crop_keeps_the_central_square() -> None:
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = 200
    assert decoded(encode(pixels, "PNG"), ImageSpec(20, "crop")).min() == pytest.approx(200)


def test_a_large_jpeg_decoded_small_looks_the_same(photograph: np.ndarray) -> None:
    large = np.asarray(Image.fromarray(photograph).resize((2560, 1708)))
    reduced = decoded(encode(large, "JPEG"), ImageSpec(64))
    whole = decoded(encode(large, "PNG"), ImageSpec(64))
    assert np.abs(reduced - whole).mean() < 1.0


@pytest.mark.parametrize(
    ("shorter", "ratio"),
    [(63, 1), (64, 2), (127, 2), (128, 4), (255, 4), (256, 8)],
)
def test_a_jpeg_is_reduced_only_to_twice_the_wanted_size(
    photograph: np.ndarray, shorter: int, ratio: int
) -> None:
    encoded = encode(photograph[:shorter, : shorter + 40], "JPEG")
    at_ratio = tf.image.decode_jpeg(encoded, channels=3, ratio=ratio)
    expected = tf.image.resize(at_ratio, [16, 16], antialias=True)
    np.testing.assert_array_equal(decoded(encoded, ImageSpec(16)), expected)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_half_an_image_is_refused(photograph: np.ndarray, kind: str) -> None:
    whole = encode(photograph, kind)
    with pytest.raises(tf.errors.InvalidArgumentError):
        decoded(whole[: len(whole) // 2], ImageSpec(32))


def test_impossible_specs_are_refused() -> None:
    with pytest.raises(UsageError, match="at least 1 pixel"):
        ImageSpec(0)
    with pytest.raises(UsageError, match="'squash'"):
        ImageSpec(32, "squash")  # type: ignore[arg-type]
