"""The report's section on the data."""

from collections import Counter
from dataclasses import dataclass

from models import features
from models.numbers import short_number
from pipeline.report import pictures
from pipeline.report.data_statistics import SplitStatistics
from pipeline.report.found import Artifacts, Json

_MOST_CLASSES = 40
_MOST_REFUSED = 40
_UNITS = {
    features.WIDTH: ("Width", "px"),
    features.HEIGHT: ("Height", "px"),
    features.BYTE_SIZE: ("File size", "kB"),
    features.BRIGHTNESS_MEAN: ("Brightness", "0–1"),
    features.BRIGHTNESS_STD: ("Contrast", "0–0.5"),
    features.SHARPNESS: ("Sharpness", ""),
}


@dataclass(frozen=True)
class ClassRow:
    """Images of one class.

    Attributes:
        label: name.
        counts: images in each split, in the order of `DataView.splits`.
        images: in all splits.
        share: of the largest class, 0..1.
        samples: pictures from training.
    """

    label: str
    counts: list[int]
    images: int
    share: float
    samples: list[pictures.Picture]


@dataclass(frozen=True)
class SpreadRow:
    """Spread of a derived feature over the training split, as text."""

    name: str
    unit: str
    least: str
    median: str
    mean: str
    most: str


@dataclass(frozen=True)
class DataView:
    """What the section shows.

    Attributes:
        images: taken in.
        quarantined: refused.
        classes: number of classes.
        split_source: "user" or "assigned".
        splits: names and numbers of images.
        rows: classes, largest first; at most 40.
        spreads: of the training split.
        formats: file format to number of images, all splits.
        conversions: conversion to number of images.
        refused: the first refused files.
        refusals: reason's code to number of files.
        findings: of validation, gravest first.
        validated: whether validation came to an end.
    """

    images: int
    quarantined: int
    classes: int
    split_source: str
    splits: dict[str, int]
    rows: list[ClassRow]
    spreads: list[SpreadRow]
    formats: dict[str, int]
    conversions: dict[str, int]
    refused: list[Json]
    refusals: dict[str, int]
    findings: list[Json]
    validated: bool


def data_view(found: Artifacts, examples_uri: str | None, validated: bool) -> DataView | None:
    """Builds the section; None when ingest left nothing.

    Args:
        found: what the components left.
        examples_uri: directory of the Examples artifact, for the samples; None without.
        validated: whether there is a Findings artifact.
    """
    if not found.ingest:
        return None
    classes: dict[str, int] = found.ingest.get("classes", {})
    by_size = sorted(classes, key=lambda label: (-classes[label], label))
    chosen = _ends(by_size)
    shown = pictures.samples(examples_uri, chosen) if examples_uri else {}
    splits = found.ingest.get("splits", {})
    largest = max(classes.values(), default=1)
    order = {"error": 0, "warning": 1}
    return DataView(
        images=found.ingest.get("images", 0),
        quarantined=found.ingest.get("quarantined", 0),
        classes=len(classes),
        split_source=found.ingest.get("split_source", ""),
        splits=splits,
        rows=[
            ClassRow(
                label=label,
                counts=_counts(label, splits, found.statistics),
                images=classes[label],
                share=classes[label] / largest,
                samples=shown.get(label, []),
            )
            for label in chosen
        ],
        spreads=_spreads(found.statistics.get(features.TRAIN)),
        formats=_formats(found.statistics),
        conversions=found.ingest.get("converted", {}),
        refused=found.quarantine[:_MOST_REFUSED],
        refusals=dict(Counter(each.get("code", "") for each in found.quarantine).most_common()),
        findings=sorted(found.findings, key=lambda each: order.get(each.get("severity", ""), 2)),
        validated=validated,
    )


def _ends(by_size: list[str]) -> list[str]:
    """Takes the largest and the smallest classes where there are too many to show."""
    if len(by_size) <= _MOST_CLASSES:
        return by_size
    half = _MOST_CLASSES // 2
    return by_size[:half] + by_size[-half:]


def _counts(
    label: str, splits: dict[str, int], statistics: dict[str, SplitStatistics]
) -> list[int]:
    return [
        statistics[split].classes.get(label, 0) if split in statistics else 0 for split in splits
    ]


def _formats(statistics: dict[str, SplitStatistics]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for split in statistics.values():
        total.update(split.formats)
    return dict(total.most_common())


def _spreads(statistics: SplitStatistics | None) -> list[SpreadRow]:
    rows = []
    for feature, (name, unit) in _UNITS.items():
        spread = statistics.spreads.get(feature) if statistics else None
        if spread is not None:
            scale = 1000 if feature == features.BYTE_SIZE else 1
            values = (spread.least, spread.median, spread.mean, spread.most)
            rows.append(SpreadRow(name, unit, *(short_number(value / scale) for value in values)))
    return rows
