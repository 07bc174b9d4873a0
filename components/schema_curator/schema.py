"""Parsing, checking and writing the schema of the label and the derived features."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.artifact_names import SCHEMA_FILE
from models.data import example_schema
from models.errors import UsageError

_Domain = schema_pb2.StringDomain

HEADER: Final = """\
# Schema of the images' label and derived features, inferred by Graft from the first run.
# It is yours: edit it, commit it; a run reads it and never writes it again.
# Delete it to have it inferred anew. The values under `string_domain { name: "label"` are the
# known classes: `graft schema accept` writes those of the last run there, and nothing else.
# Format: https://www.tensorflow.org/tfx/data_validation/get_started

"""


def set_known_labels(schema: schema_pb2.Schema, classes: Iterable[str]) -> None:
    """Makes the classes, and nothing else, the label's domain.

    Args:
        schema: with a feature for the label, or without; is changed.
        classes: class names, in any order.
    """
    domain = _Domain(name=example_schema.LABEL, value=sorted(set(classes)))
    others = [each for each in schema.string_domain if each.name != example_schema.LABEL]
    del schema.string_domain[:]
    schema.string_domain.extend([*others, domain])
    for feature in schema.feature:
        if feature.name == example_schema.LABEL:
            if kind := feature.WhichOneof("domain_info"):
                feature.ClearField(kind)
            feature.domain = example_schema.LABEL


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


def read_known_labels(uri: str) -> frozenset[str] | None:
    """The classes that a Schema artifact names; None where it names none.

    Args:
        uri: of the artifact.
    """
    text = (Path(uri) / SCHEMA_FILE).read_text("utf-8")
    return known_labels(text_format.Parse(text, schema_pb2.Schema()))
