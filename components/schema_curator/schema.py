"""Inferring, parsing and checking the schema of the label and the derived features."""

from collections.abc import Iterable, Sequence
from typing import Final

import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from models.data import example_schema
from models.errors import UsageError

_Domain = schema_pb2.StringDomain

HEADER: Final = """\
# Schema of the images' label and derived features, inferred by Graft from the first run.
# It is yours: edit it, commit it; Graft reads it and never writes it again.
# Delete it to have it inferred anew. The values under `string_domain { name: "label"` are the
# known classes: add a line `value: "name"` for a new one.
# Format: https://www.tensorflow.org/tfx/data_validation/get_started

"""


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
        if feature.name == example_schema.LABEL:
            _know(schema, feature, sorted(set(classes)))
    return schema


def _know(schema: schema_pb2.Schema, label: schema_pb2.Feature, classes: list[str]) -> None:
    """Makes the classes, and nothing else, the label's domain."""
    others = [domain for domain in schema.string_domain if domain.name != example_schema.LABEL]
    del schema.string_domain[:]
    schema.string_domain.extend([*others, _Domain(name=example_schema.LABEL, value=classes)])
    if kind := label.WhichOneof("domain_info"):
        label.ClearField(kind)
    label.domain = example_schema.LABEL


def schema_text(schema: schema_pb2.Schema) -> str:
    """The content of the user's schema file, with a word on how to use it."""
    return HEADER + text_format.MessageToString(schema, as_utf8=True)


def parse_schema(content: bytes, path: str) -> schema_pb2.Schema:
    """Reads the user's schema file.

    Args:
        content: of the file.
        path: named in messages.

    Raises:
        UsageError: it is no schema, has no string feature `label`, or a domain is missing.
    """
    mend = "Mend the file, or delete it to have the schema inferred anew."
    try:
        schema = text_format.Parse(content.decode(), schema_pb2.Schema())
    except text_format.ParseError as error:
        place = f", line {error.GetLine()}" if error.GetLine() else ""
        raise UsageError(f"The schema {path}{place}, cannot be read: {error}. {mend}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The schema {path} is not a UTF-8 text file: {error}. {mend}") from error
    types = {feature.name: feature.type for feature in schema.feature}
    if types.get(example_schema.LABEL) != schema_pb2.BYTES:
        raise UsageError(
            f'The schema {path} must hold a feature with name "{example_schema.LABEL}"'
            f" and type BYTES, but it has {sorted(types) or 'no feature'}. {mend}"
        )
    domains = {domain.name for domain in schema.string_domain}
    for feature in schema.feature:
        if feature.HasField("domain") and feature.domain not in domains:
            raise UsageError(
                f'The schema {path} has no string_domain with name "{feature.domain}", which '
                f'feature "{feature.name}" refers to. {mend}'
            )
    return schema


def known_labels(schema: schema_pb2.Schema) -> frozenset[str] | None:
    """The classes in the schema's label domain; None where that is no string domain."""
    domains = {domain.name: domain for domain in schema.string_domain}
    for feature in schema.feature:
        if feature.name != example_schema.LABEL:
            continue
        if feature.HasField("domain"):
            return frozenset(domains[feature.domain].value)
        if feature.HasField("string_domain"):
            return frozenset(feature.string_domain.value)
    return None
