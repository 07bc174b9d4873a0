"""Reads the statistics that TFX computed over the label and the derived features."""

from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0 import statistics_pb2

from models.data import example_schema


@dataclass(frozen=True)
class Spread:
    """How the values of a numeric feature are spread.

    Attributes:
        least: smallest value.
        median: middle value.
        mean: average.
        most: largest value.
    """

    least: float
    median: float
    mean: float
    most: float


@dataclass(frozen=True)
class SplitStatistics:
    """Statistics of one split.

    Attributes:
        images: number of images.
        classes: class name to number of images.
        formats: file format to number of images.
        spreads: numeric feature to its spread.
    """

    images: int
    classes: dict[str, int]
    formats: dict[str, int]
    spreads: dict[str, Spread]


def read_statistics(uri: str | None) -> dict[str, SplitStatistics]:
    """Reads an ExampleStatistics artifact.

    Args:
        uri: its directory; None where there is none.

    Returns:
        Split name to its statistics, in the order train, validation, test; empty for a split whose
        file is missing or damaged.
    """
    result = {}
    for split in example_schema.SPLITS if uri else ():
        path = Path(uri or "") / f"Split-{split}" / "FeatureStats.pb"
        try:
            message = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
        except (OSError, DecodeError):
            continue
        if message.datasets:
            result[split] = _split(message.datasets[0])
    return result


def _split(dataset: statistics_pb2.DatasetFeatureStatistics) -> SplitStatistics:
    named = {feature.path.step[0]: feature for feature in dataset.features if feature.path.step}
    return SplitStatistics(
        images=dataset.num_examples,
        classes=_counts(named.get(example_schema.LABEL)),
        formats=_counts(named.get(example_schema.FORMAT)),
        spreads={
            name: Spread(
                feature.num_stats.min,
                feature.num_stats.median,
                feature.num_stats.mean,
                feature.num_stats.max,
            )
            for name, feature in named.items()
            if feature.HasField("num_stats")
        },
    )


def _counts(feature: statistics_pb2.FeatureNameStatistics | None) -> dict[str, int]:
    if feature is None:
        return {}
    buckets = feature.string_stats.rank_histogram.buckets
    return {bucket.label: int(bucket.sample_count) for bucket in buckets}
