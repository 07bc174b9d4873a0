"""Messages of TensorFlow Serving's configuration files that its Python package leaves out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

from models.byte_order_mark import decoded
from models.errors import UsageError

_WRAPPERS: Final = wrappers_pb2.DESCRIPTOR.name
_TYPES: Final = descriptor_pb2.FieldDescriptorProto
Fields = Mapping[str, "str | Mapping[str, str]"]
"""Name of a field to its type: a word, or the fields of a message of its own."""
_SCALARS: Final = {
    "bool": _TYPES.TYPE_BOOL,
    "int64": _TYPES.TYPE_INT64,
    "string": _TYPES.TYPE_STRING,
}


def read_text_proto(path: Path, name: str, fields: Fields) -> Any:
    """Reads a file in protobuf's text format.

    Args:
        path: the file.
        name: of the message, for errors.
        fields: name to type: `bool`, `int64`, `string`, a wrapper such as `Int64Value`, each with
            `repeated ` in front if it may stand several times; or the fields of a message.

    Returns:
        The message.

    Raises:
        UsageError: there is no such file, or it holds something else.
    """
    try:
        text = decoded(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"Cannot read {path}, expected a {name} as text: {error}") from error
    message = _message_class(name, fields)()
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise UsageError(f"{path} is no {name} in protobuf's text format: {error}") from error
    return message


def _message_class(name: str, fields: Fields) -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto", syntax="proto3", dependency=[_WRAPPERS]
    )
    _add_fields(file.message_type.add(name=name), f".{name}", fields)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def _add_fields(message: Any, path: str, fields: Fields) -> None:
    for number, (field, words) in enumerate(fields.items(), start=1):
        is_repeated = isinstance(words, str) and words.startswith("repeated ")
        if not isinstance(words, str):
            inner = field.title().replace("_", "")
            _add_fields(message.nested_type.add(name=inner), f"{path}.{inner}", words)
            kind, type_name = "", f"{path}.{inner}"
        else:
            kind = words.removeprefix("repeated ")
            type_name = "" if kind in _SCALARS else f".google.protobuf.{kind}"
        message.field.add(
            name=field,
            number=number,
            label=_TYPES.LABEL_REPEATED if is_repeated else _TYPES.LABEL_OPTIONAL,
            type=_SCALARS.get(kind, _TYPES.TYPE_MESSAGE),
            type_name=type_name or None,
        )
