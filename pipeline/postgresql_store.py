"""ML Metadata 1.21 on PostgreSQL, with what it does wrong there put right.

**Backslashes.** PostgreSQL's own function quotes a text that has one as E'…', and ML Metadata makes
'E'…' of that: the text ends where it begins, and what follows is taken for SQL. So no backslash is
sent. What stands for it looks like one, for whoever asks the database.

**Order.** ML Metadata asks for rows in no order. Other databases give them by their numbers, and
TFX counts on that where it joins artifacts to their names; PostgreSQL gives what was changed last.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import ml_metadata as mlmd
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from typing_extensions import override

_STAND_IN: Final = "⧵"
_MARK: Final = "⧶"
"""Before a letter that is meant as it stands, `_STAND_IN` or `_MARK`."""
_SENT: Final = {"\\": _STAND_IN, _STAND_IN: _MARK + _STAND_IN, _MARK: _MARK * 2}


class PostgreSQLStore(mlmd.MetadataStore):
    """A store whose texts may have backslashes, and whose answers are in order."""

    @override
    def _call_method(self, method_name: str, request: Message, response: Message) -> None:
        sent = type(request)()
        sent.CopyFrom(request)
        _change(sent, without_backslashes)
        super()._call_method(method_name, sent, response)
        _change(response, with_backslashes)
        if "options" not in request.DESCRIPTOR.fields_by_name or not request.HasField("options"):
            _sort(response)


def _sort(response: Message) -> None:
    """Puts everything that has a number in its order; options of a request ask for another one."""
    for field, value in response.ListFields():
        kind = field.message_type
        if kind is not None and field.is_repeated and "id" in kind.fields_by_name:
            value.sort(key=lambda each: each.id)


def without_backslashes(text: str) -> str:
    """A text to send; different ones stay different.

    Args:
        text: any.
    """
    return re.sub(r"[\\⧵⧶]", lambda found: _SENT[found[0]], text)


def with_backslashes(text: str) -> str:
    """What `without_backslashes` was given.

    Args:
        text: as it was sent.
    """
    return re.sub("⧶([⧵⧶])|⧵", lambda found: found[1] or "\\", text)


def _change(message: Message, change: Callable[[str], str]) -> None:
    """Changes every text in a message, names of properties included, where it stands."""
    for field, value in message.ListFields():
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            _change_map(value, kind.fields_by_name["value"], change)
        elif kind is not None:
            for each in value if field.is_repeated else (value,):
                _change(each, change)
        elif field.type == FieldDescriptor.TYPE_STRING:
            if field.is_repeated:
                value[:] = [change(each) for each in value]
            else:
                setattr(message, field.name, change(value))


def _change_map(values: Any, value: FieldDescriptor, change: Callable[[str], str]) -> None:
    for key in list(values):
        if value.message_type is not None:
            _change(values[key], change)
        elif value.type == FieldDescriptor.TYPE_STRING:
            values[key] = change(values[key])
        if isinstance(key, str) and (name := change(key)) != key:
            if value.message_type is not None:
                values[name].CopyFrom(values[key])
            else:
                values[name] = values[key]
            del values[key]
