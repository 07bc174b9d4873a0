"""Names of the features in a Graft `tf.Example`, and of the data splits.

Ingest writes them; embedding, training, evaluation, validation and the report read them.
"""

from typing import Final

IMAGE: Final = "image"
"""bytes: one encoded JPEG or PNG, upright, 8 bits a channel, grey or RGB."""
LABEL: Final = "label"
"""bytes: the class name, UTF-8."""
NAME: Final = "name"
"""bytes: the file's path relative to the data folder, UTF-8."""
SHA256: Final = "sha256"
"""bytes: hex digest of the file's bytes as the user supplied them."""
GROUP: Final = "group"
"""bytes: what the images that must lie on one side of the split have in common, UTF-8; empty or
absent for none."""
PHASH: Final = "phash"
"""bytes: 64-bit perceptual hash as 16 hex digits."""
WIDTH: Final = "width"
"""int64: pixels."""
HEIGHT: Final = "height"
"""int64: pixels."""
CHANNELS: Final = "channels"
"""int64: 1 (grey) or 3 (RGB), after conversion."""
FORMAT: Final = "format"
"""bytes: format of the file as supplied, lower case: jpeg, png, webp, bmp, tiff, gif, ppm."""
CONVERTED: Final = "converted"
"""bytes: comma-separated conversions made at ingest (see docs/DATA.md), empty if none."""
BYTE_SIZE: Final = "byte_size"
"""int64: bytes of the file as supplied."""
BRIGHTNESS_MEAN: Final = "brightness_mean"
"""float: mean luma in 0..1."""
BRIGHTNESS_STD: Final = "brightness_std"
"""float: standard deviation of luma in 0..1."""
SHARPNESS: Final = "sharpness"
"""float: variance of the Laplacian of luma (0..1) on a thumbnail; low is blurred."""

DERIVED: Final = (
    WIDTH,
    HEIGHT,
    CHANNELS,
    FORMAT,
    BYTE_SIZE,
    BRIGHTNESS_MEAN,
    BRIGHTNESS_STD,
    SHARPNESS,
)
"""The features that statistics, slices and drift are computed over (beside the label)."""

_SLICE: Final = "slice/"


def slice_feature(column: str) -> str:
    """Feature that holds a column of the user's manifest, bytes: a text, UTF-8; may be empty.

    >>> slice_feature("camera")
    'slice/camera'
    """
    return _SLICE + column


def column_of(feature: str) -> str | None:
    """Column of a feature of `slice_feature`; None for any other feature.

    >>> column_of("slice/camera"), column_of("width")
    ('camera', None)
    """
    return feature.removeprefix(_SLICE) if feature.startswith(_SLICE) else None


TRAIN: Final = "train"
VALIDATION: Final = "validation"
TEST: Final = "test"
UNLABELLED: Final = "unlabelled"
"""Of examples of their own, whose labels are empty."""
SPLITS: Final = (TRAIN, VALIDATION, TEST)
