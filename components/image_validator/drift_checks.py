"""Whether the newest span, or the test split, holds other images than the rest.

TensorFlow Data Validation compares what was measured of each image: shares of classes and formats
by their largest change (L-infinity), numbers by the Jensen-Shannon divergence of their histograms
(0 the same, 1 nothing in common).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import tensorflow_data_validation as tfdv
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.findings import Finding
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings, override
from models.data import example_schema

_FEWEST = 30
"""Images of either side; fewer say nothing."""
_DIVERGENCE_BY_CHANCE = 4.0
"""Of n images of the same kind the divergence is about 3.5 / n, by TFDV's histograms."""
_SHARE_BY_CHANCE = 1.0
"""Of n images a share is off by less than 1 / sqrt(n), in 95 of 100 cases."""
_MOST_CLASSES = 1000
_COMPARED = (
    anomalies_pb2.AnomalyInfo.COMPARATOR_L_INFTY_HIGH,
    anomalies_pb2.AnomalyInfo.COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH,
)


def check_spans(
    table: ImageTable, spans: Sequence[str], settings: ValidationSettings
) -> list[Finding]:
    """Compares the newest span with those before it.

    Args:
        table: the images.
        spans: beginnings of the images' names, the oldest first; fewer than two for data without.
        settings: the severity and the limit.
    """
    if len(spans) < 2 or settings.span_drift == "ignore":
        return []
    newest = np.array([name.startswith(f"{spans[-1]}/") for name in table.name], bool)
    told = _differences(table, ~newest, newest, settings.max_drift)
    return [
        finding
        for words in told
        for finding in settings.finding(
            "span_drift",
            f"the newest span, {spans[-1]}, differs from the {len(spans) - 1} before it: {words}",
            table.names(newest),
            "Look at its images in the report, or leave it out with data.spans. "
            + override("span_drift"),
        )
    ]


def check_splits(table: ImageTable, own_split: bool, settings: ValidationSettings) -> list[Finding]:
    """Compares the test split with the training split where the data has a split of its own.

    Args:
        table: the images.
        own_split: whether the split is the data's own; one that Graft makes is drawn at random.
        settings: the severity and the limit.
    """
    if not own_split or settings.split_skew == "ignore":
        return []
    learned = np.asarray(table.split == example_schema.TRAIN)
    tested = np.asarray(table.split == example_schema.TEST)
    return [
        finding
        for words in _differences(table, learned, tested, settings.max_drift)
        for finding in settings.finding(
            "split_skew",
            f"the test split differs from the training split: {words} A figure on such a test "
            "split says little of images like those in training.",
            table.names(tested),
            override("split_skew"),
        )
    ]


def _differences(
    table: ImageTable, before: NDArray[np.bool_], after: NDArray[np.bool_], limit: float
) -> Iterator[str]:
    """What differs by more than the limit, a sentence each."""
    images = int(min(before.sum(), after.sum()))
    if images < _FEWEST:
        return
    old, new = (_statistics(table, rows) for rows in (before, after))
    schema = _schema(old, limit, images)
    found = tfdv.validate_statistics(new, schema, previous_statistics=old)
    for feature, info in sorted(found.anomaly_info.items()):
        for reason in info.reason:
            if reason.type in _COMPARED:
                words = reason.description.replace(" (up to six significant digits)", "")
                yield f"{feature}: {words.strip().rstrip('.')}."


def _statistics(
    table: ImageTable, rows: NDArray[np.bool_]
) -> statistics_pb2.DatasetFeatureStatisticsList:
    columns = {name: column[rows] for name, column in table.measures.items()}
    frame = pd.DataFrame(columns | {example_schema.LABEL: table.label[rows]})
    options = tfdv.StatsOptions(num_rank_histogram_buckets=_MOST_CLASSES)
    return tfdv.generate_statistics_from_dataframe(frame, options, n_jobs=1)


def _schema(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, limit: float, images: int
) -> schema_pb2.Schema:
    schema = tfdv.infer_schema(statistics, infer_feature_shape=False)
    for feature in schema.feature:
        comparator = feature.drift_comparator
        if feature.type == schema_pb2.BYTES:
            comparator.infinity_norm.threshold = limit + _SHARE_BY_CHANCE / images**0.5
        else:
            threshold = limit + _DIVERGENCE_BY_CHANCE / images
            comparator.jensen_shannon_divergence.threshold = threshold
    return schema
