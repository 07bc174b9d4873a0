"""One record of a TFRecord file: an encoded image with one label, or a reason why it is none."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from google.protobuf.message import DecodeError

from components.example_gen.sources.entries import printable
from components.example_gen.sources.one_label import (
    ONE_LABEL,
    RefusedError,
    further_label_of,
    label_of,
)

_IMAGE_FEATURES = ("image", "image/encoded", "image_raw", "encoded")
_LABEL_FEATURES = ("label", "image/class/text", "image/class/label", "class")
_NAME_FEATURES = ("name", "image/filename", "filename")
_SHOWN = 200

_Features = Mapping[str, Any]


class Record(NamedTuple):
    """What a record holds.

    Attributes:
        image: encoded.
        label: class name.
        name: printable; empty where the record has none.
        group: value of the feature that names the group; empty for none.
        slices: values of the features that were asked for; empty where one is missing.
        features: names of all that it holds.
    """

    image: bytes
    label: str
    name: str
    group: str
    slices: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()


def read_record(
    content: bytes, group: str, columns: Sequence[str] = (), further_labels: Collection[str] = ()
) -> Record:
    """Takes a record apart.

    Args:
        content: a serialized `tf.train.Example`.
        group: feature that names the group; empty for none.
        columns: features whose values are wanted too.
        further_labels: those of them that hold labels.

    Returns:
        Its image, label, name, group and slices.

    Raises:
        RefusedError: it is no such record, or has no image or no label, or several.
    """
    try:
        found = tf.train.Example.FromString(content).features.feature
    except DecodeError as error:
        raise RefusedError("corrupt", "the record is no tf.train.Example") from error
    return Record(
        _image(found, content),
        _label(found),
        printable(_text(found, _NAME_FEATURES))[:_SHOWN],
        printable(_text(found, (group,))),
        tuple(
            _further_label(found, column)
            if column in further_labels
            else printable(_text(found, (column,)))
            for column in columns
        ),
        frozenset(found) if columns else frozenset(),
    )


def _image(found: _Features, content: bytes) -> bytes:
    for key in _IMAGE_FEATURES:
        values = found[key].bytes_list.value if key in found else ()
        if len(values) > 1:
            raise RefusedError(
                "several_images", f"{key} holds {len(values)} images; expected one a record"
            )
        if values and values[0]:
            return values[0]
    if _is_sequence(content):
        raise RefusedError(
            "sequence_example",
            "the record is a tf.train.SequenceExample, which holds several steps; expected a"
            " tf.train.Example with one image",
        )
    raise RefusedError("no_image", _expected("the image's bytes", _IMAGE_FEATURES, found))


def _label(found: _Features) -> str:
    for key in _LABEL_FEATURES:
        if key not in found:
            continue
        feature = found[key]
        if feature.float_list.value:
            raise RefusedError(
                "bad_label", f"{key} holds a number with decimals; expected a text or an integer"
            )
        values = feature.bytes_list.value or feature.int64_list.value
        if len(values) > 1:
            raise RefusedError("several_labels", f"{key} holds {len(values)} values; {ONE_LABEL}")
        if values and values[0] != b"":
            return label_of(_decoded(values[0], key))
    raise RefusedError("no_label", _expected("the label", _LABEL_FEATURES, found))


def _further_label(found: _Features, column: str) -> str:
    if column not in found:
        return ""
    held = found[column]
    values = held.bytes_list.value or held.int64_list.value or held.float_list.value
    if len(values) > 1:
        raise RefusedError("several_labels", f"{column} holds {len(values)} values; {ONE_LABEL}")
    value = values[0] if values else None
    return further_label_of(_decoded(value, column) if isinstance(value, bytes) else value, column)


def _decoded(value: bytes | int, key: str) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise RefusedError("bad_label", f"the text in {key} is not UTF-8") from error


def _text(found: _Features, keys: tuple[str, ...]) -> str:
    for key in keys:
        if key in found:
            held = found[key]
            values = held.bytes_list.value or held.int64_list.value or held.float_list.value
            if values:
                value = values[0]
                is_text = isinstance(value, bytes)
                return value.decode("utf-8", "surrogateescape") if is_text else str(value)
    return ""


def _is_sequence(content: bytes) -> bool:
    try:
        sequence = tf.train.SequenceExample.FromString(content)
    except DecodeError:
        return False
    return bool(sequence.feature_lists.feature_list)


def _expected(what: str, keys: tuple[str, ...], found: _Features) -> str:
    shown = printable(", ".join(sorted(found)))[:_SHOWN] or "no features"
    return f"expected {what} in {', '.join(keys[:-1])} or {keys[-1]}; found {shown}"
