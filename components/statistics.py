"""What the stock StatisticsGen looks at."""

from typing import Final

import tensorflow_data_validation as tfdv

from models.data import example_schema

MOST_CLASSES: Final = 100_000
"""Class names that are counted one by one, for the report."""


def stats_options() -> tfdv.StatsOptions:
    """Statistics of the label and the derived features; never of the encoded images."""
    return tfdv.StatsOptions(
        feature_allowlist=[*example_schema.DERIVED, example_schema.LABEL],
        num_rank_histogram_buckets=MOST_CLASSES,
    )
