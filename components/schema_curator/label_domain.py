"""Writes other classes into the user's schema file, and leaves the rest of it as it is.

The file is the user's, with comments and an order of their own, which a parser would drop.
"""

import re
from collections.abc import Iterable, Sequence

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.schema_curator.schema import parse_schema, schema_text, set_known_labels
from models.data import example_schema

_TEXT = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_DOMAIN = re.compile(rf"(?m)^string_domain\s*:?\s*{{(?:[^{{}}\"'#]|{_TEXT}|\#[^\n]*)*}}")
_VALUE = re.compile(rf"(?m)^[ \t]*value\s*:\s*({_TEXT})[ \t]*(?:\#[^\n]*)?\n")


def with_labels(content: bytes, classes: Iterable[str], path: str) -> str:
    """The content of a schema file with other known classes.

    Comments stay where the label's domain stands as Graft writes it, with each value on a line of
    its own. Else the whole file is written anew, without them.

    Args:
        content: of the file.
        classes: class names.
        path: of the file, named in messages.

    Raises:
        UsageError: the file is no schema.
    """
    labels = sorted(set(classes))
    schema = parse_schema(content, path)
    set_known_labels(schema, labels)
    edited = _edited(content.decode(), labels)
    return edited if edited is not None and _is(edited, schema) else schema_text(schema)


def _edited(text: str, labels: Sequence[str]) -> str | None:
    """The text with the values of one block changed; None where that block is not found."""
    for block in _DOMAIN.finditer(text):
        domain = text_format.Parse(block.group(), schema_pb2.Schema()).string_domain[0]
        if domain.name == example_schema.LABEL:
            return text[: block.start()] + _with_values(block.group(), labels) + text[block.end() :]
    return None


def _with_values(block: str, labels: Sequence[str]) -> str:
    def keep(line: re.Match[str]) -> str:
        return line.group() if _value(line.group(1)) in labels else ""

    there = {_value(line.group(1)) for line in _VALUE.finditer(block)}
    lines = [
        f"  {text_format.MessageToString(_domain(label), as_utf8=True)}"
        for label in labels
        if label not in there
    ]
    kept = _VALUE.sub(keep, block)
    return kept.removesuffix("}").rstrip(" \t") + "".join(lines) + "}"


def _domain(label: str) -> schema_pb2.StringDomain:
    return schema_pb2.StringDomain(value=[label])


def _value(literal: str) -> str:
    return str(text_format.Parse(f"value: {literal}", schema_pb2.StringDomain()).value[0])


def _is(text: str, schema: schema_pb2.Schema) -> bool:
    """Whether a text says what a schema does, the classes in whatever order."""
    try:
        said = text_format.Parse(text, schema_pb2.Schema())
    except text_format.ParseError:
        return False
    for domain in said.string_domain:
        if domain.name == example_schema.LABEL:
            domain.value.sort()
    order = {domain.name: index for index, domain in enumerate(schema.string_domain)}
    said.string_domain.sort(key=lambda each: order.get(each.name, len(order)))
    return bool(said == schema)
