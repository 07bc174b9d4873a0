"""Inferring the schema of the label and the derived features."""

from collections.abc import Iterable, Sequence

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.schema_curator.schema import set_known_labels


def infer_schema(
    statistics: Sequence[statistics_pb2.DatasetFeatureStatisticsList], classes: Iterable[str]
) -> schema_pb2.Schema:
    """Infers types, presence and string domains that hold on every split.

    Args:
        statistics: of each split, the training split first.
        classes: the label's domain. Statistics would not do: names that look like numbers have no
            string domain by them, and long names and rare ones are left out.
    """
    schema = tfdv.infer_schema(statistics[0])
    for other in statistics[1:]:
        schema = tfdv.update_schema(schema, other)
    for feature in schema.feature:
        # An integer that was only ever 0 or 1, such as `channels` of grey images, is no boolean.
        feature.ClearField("bool_domain")
    set_known_labels(schema, classes)
    return schema
