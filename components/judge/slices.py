"""Accuracy over parts of the test images.

By file format, channels, size, light and sharpness, and by the user's own columns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.data import example_schema
from models.data.label_text import is_missing
from models.intervals import Interval, share_interval
from models.number_text import short_number

_DISCRETE = (example_schema.FORMAT, example_schema.CHANNELS)
_CONTINUOUS = (
    example_schema.WIDTH,
    example_schema.HEIGHT,
    example_schema.BYTE_SIZE,
    example_schema.BRIGHTNESS_MEAN,
    example_schema.BRIGHTNESS_STD,
    example_schema.SHARPNESS,
)
_MOST_VALUES = 20
"""Values of a column that are told apart."""

_WORDS: Final = {
    example_schema.FORMAT: "File format",
    example_schema.CHANNELS: "Channels",
    example_schema.WIDTH: "Width, px",
    example_schema.HEIGHT: "Height, px",
    example_schema.BYTE_SIZE: "File size, bytes",
    example_schema.BRIGHTNESS_MEAN: "Brightness",
    example_schema.BRIGHTNESS_STD: "Contrast",
    example_schema.SHARPNESS: "Sharpness",
}


@dataclass(frozen=True)
class Slice:
    """Images that share a value, or a quarter, of one feature.

    Attributes:
        feature: name of the feature.
        value: the value, or "low to high" for a quarter.
        images: number of images.
        accuracy: share of them answered rightly.
        accuracy_interval: the 95 % interval of that accuracy.
    """

    feature: str
    value: str
    images: int
    accuracy: float
    accuracy_interval: Interval


def feature_words(feature: str) -> str:
    """A feature that slices are over, as people read it."""
    return example_schema.column_of(feature) or _WORDS.get(feature, feature)


def by_feature(rows: Iterable[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Slices as `metrics.json` has them, by the feature that they are over, as people read it.

    A column of the user's may be called as a feature is.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["feature"], []).append(row)
    return [(feature_words(feature), group) for feature, group in found.items()]


def accuracy_slices(
    columns: Mapping[str, NDArray[Any]], right: NDArray[np.bool_]
) -> tuple[Slice, ...]:
    """Computes the accuracy over each value of discrete and each quarter of continuous features.

    Args:
        columns: feature name to values [n], as `models.data.example_reader.derived_features` gives
            them, those of `example_schema.slice_feature` among them.
        right: whether each image is answered rightly, bool [n].

    Returns:
        The slices by feature, then in ascending order. A feature that does not divide the images
        is left out, but for the user's columns: that one has a single value is what was asked.
    """
    result: list[Slice] = []
    own = [name for name in columns if example_schema.column_of(name) is not None]
    for name in (*own, *_DISCRETE, *_CONTINUOUS):
        groups = column_groups(columns[name]) if name in own else _groups(name, columns[name])
        if len(groups) > 1 or name in own:
            result += [_slice(name, value, inside, right) for value, inside in groups]
    return tuple(result)


def column_groups(column: NDArray[Any]) -> list[tuple[str, NDArray[np.bool_]]]:
    """The images of each value of a user's column.

    Of more than 20 values, numbers are cut into quarters, beside what stands for a missing one; of
    others the rarest are taken together.

    Args:
        column: texts, object [n].

    Returns:
        Each value with the images that have it, bool [n].
    """
    texts, counts = np.unique(column.astype(str), return_counts=True)
    if len(texts) > _MOST_VALUES:
        missing = np.array([is_missing(str(text)) for text in column])
        numbers = _as_numbers(column[~missing])
        if numbers is not None and len(numbers):
            within = [(text, _spread(rows, ~missing)) for text, rows in _quarters(numbers)]
            return within + [
                (text, _spread(rows, missing)) for text, rows in column_groups(column[missing])
            ]
        kept = set(texts[np.argsort(-counts, kind="stable")[: _MOST_VALUES - 1]])
        column = np.array([text if text in kept else "(others)" for text in column], dtype=object)
    named = np.array([text or "(empty)" for text in column], dtype=object)
    return _values(named)


def _spread(rows: NDArray[np.bool_], part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows of a part of the images as rows of all."""
    whole = np.zeros(len(part), bool)
    whole[part] = rows
    return whole


def _as_numbers(column: NDArray[Any]) -> NDArray[np.float64] | None:
    """The finite numbers that the texts are; None where one is none."""
    try:
        numbers = column.astype(float)
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _groups(name: str, column: NDArray[Any]) -> list[tuple[str, NDArray[np.bool_]]]:
    return _values(column) if name in _DISCRETE else _quarters(column)


def _slice(name: str, value: str, inside: NDArray[np.bool_], right: NDArray[np.bool_]) -> Slice:
    images, hits = int(inside.sum()), int(right[inside].sum())
    return Slice(name, value, images, hits / images, share_interval(hits, images))


def _values(column: NDArray[Any]) -> list[tuple[str, NDArray[np.bool_]]]:
    return [(str(value), column == value) for value in sorted(set(column.tolist()))]


def _quarters(column: NDArray[Any]) -> list[tuple[str, NDArray[np.bool_]]]:
    """Splits at the quartiles; equal values stay together, so there may be fewer than four."""
    values = column.astype(float)
    edges = np.unique(np.quantile(values, (0.25, 0.5, 0.75), method="higher"))
    quarter = np.searchsorted(edges, values, side="left")
    result = []
    for index in np.unique(quarter):
        inside = quarter == index
        low, high = values[inside].min(), values[inside].max()
        text = short_number(low) if low == high else f"{short_number(low)} to {short_number(high)}"
        result.append((text, inside))
    return result
