"""Reads YAML that anybody may have written: a value, or words that say why there is none."""

import re
from collections.abc import Hashable
from typing import Any, Final, TypeVar

import yaml

_MOST_VALUES: Final = 10_000
"""A few aliases of aliases stand for more values than any memory holds."""

_OCTAL: Final = re.compile(r"[-+]?0[0-7_]+")
_Number = TypeVar("_Number", int, float)


class YamlTextError(ValueError):
    """Text that is not YAML, or more than a configuration may hold; says what is wrong."""


class _Loader(yaml.SafeLoader):
    """Refuses what YAML would take for something else without a word.

    A key that is there twice, of which the last would count, and numbers that look like others.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value
            if isinstance(key, str) and key_node.tag != _MERGE:
                if key in seen:
                    line = key_node.start_mark.line + 1
                    raise YamlTextError(f"line {line}: the key {key!r} is there twice")
                seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        return _as_it_looks(node, super().construct_yaml_int(node))

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        return _as_it_looks(node, super().construct_yaml_float(node))


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def _as_it_looks(node: yaml.ScalarNode, number: _Number) -> _Number:
    """Refuses what is another number to YAML 1.1 than to its reader."""
    if ":" in node.value or _OCTAL.fullmatch(node.value):
        raise YamlTextError(
            f"line {node.start_mark.line + 1}: YAML takes {node.value} for {number}; write "
            f"{number} for that, or '{node.value}' in quotes for the text"
        )
    return number


_MERGE: Final = "tag:yaml.org,2002:merge"


def parse_yaml(text: str) -> Any:
    """Reads YAML.

    Args:
        text: at most a few megabytes.

    Raises:
        YamlTextError: it is none, nested too deeply, or stands for too many values.
    """
    try:
        value = yaml.load(text, _Loader)
        if _count(value, {}) > _MOST_VALUES:
            raise YamlTextError(f"it stands for more than {_MOST_VALUES:,} values")
    except YamlTextError:
        raise
    except RecursionError:
        raise YamlTextError("it is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - PyYAML raises whatever its constructors meet
        raise YamlTextError(str(error) or type(error).__name__) from None
    return value


def has_no_remark(text: str) -> bool:
    """Says whether all of a text is its value: YAML drops what follows a blank and a hash.

    Args:
        text: YAML that can be read.
    """
    node = yaml.compose(text, _Loader)
    return not text[node.end_mark.index if node else 0 :].strip()


def _count(value: Any, known: dict[int, int]) -> int:
    """Values in a value, each alias counted as often as it is used."""
    if not isinstance(value, dict | list | set | tuple):
        return 1
    if id(value) not in known:
        known[id(value)] = _MOST_VALUES  # for one that holds itself
        inner = [*value.keys(), *value.values()] if isinstance(value, dict) else list(value)
        known[id(value)] = 1 + sum(_count(each, known) for each in inner)
    return known[id(value)]
