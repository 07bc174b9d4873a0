"""Reads a run's configuration from a file and flags, and writes the commented default one."""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pydantic
import yaml
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from models.byte_order_mark import decoded
from models.errors import UsageError
from models.spelling import did_you_mean
from models.wording import listed
from pipeline.config import Config
from pipeline.config_paths import with_settled_paths
from pipeline.fetched_paths import with_sources
from pipeline.yaml_text import YamlTextError, has_no_remark, parse_yaml

_MOST_BYTES = 1_000_000
_MOST_SHOWN = 200
"""Characters of a value in a message."""
_MOST_KEYS = 3
_SECTIONS = {
    name
    for name, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}
_EXPECTED = {
    "model_type": "keys and values, such as {key: value}",
    "tuple_type": "a list, such as [a, b]",
    "string_type": "text, in quotes where it looks like a number, a date, yes or no",
    "bool_type": "yes or no",
    "bool_parsing": "yes or no",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "missing": "a value",
    "invalid_key": "a key that is text",
}
"""What pydantic says of Python's types, in the words of YAML."""


def load_config(file: Path | None, overrides: dict[str, Any]) -> Config:
    """Builds the effective configuration.

    Args:
        file: YAML file of `Config` keys, or None for the defaults.
        overrides: dotted key ("tuning.trials") to value; wins over the file.

    Raises:
        UsageError: the file cannot be read, or a key or value is not valid; names each.
    """
    values = _values(file, overrides)
    try:
        config = Config.model_validate(values)
    except pydantic.ValidationError as error:
        source = f" in {file}" if file else ""
        lines = "\n".join(f"  {_explain(detail)}" for detail in error.errors())
        raise UsageError(
            f"The configuration{source} is not valid:\n{lines}\n"
            "`graft init` writes every key with its meaning; `graft config` shows the effective "
            "configuration."
        ) from None
    return _settled(config, file, overrides)


def load_recorded_config(file: Path, overrides: dict[str, Any]) -> Config:
    """Builds the configuration that an earlier run recorded, perhaps by another version of Graft.

    Keys and values that only that version knows are passed over, with a line on standard error:
    Graft wrote them, and who runs a later command has nothing to mend there.

    Args:
        file: written by `as_yaml`.
        overrides: as in `load_config`.

    Raises:
        UsageError: the file cannot be read, or what is left of it is not valid.
    """
    values = _values(file, overrides)
    try:
        return _settled(Config.model_validate(values), file, overrides)
    except pydantic.ValidationError as error:
        passed_over = dict.fromkeys(_drop(values, detail["loc"]) for detail in error.errors())
    try:
        config = Config.model_validate(values)
    except pydantic.ValidationError:
        return load_config(file, overrides)
    print(
        f"graft: {file} was written by another version of Graft. Passed over, as this one does not "
        f"know them or their values: {listed([_cut(key) for key in passed_over], _MOST_KEYS)}.",
        file=sys.stderr,
    )
    return _settled(config, file, overrides)


def _drop(values: dict[str, Any], place: tuple[int | str, ...]) -> str:
    """Takes the innermost key of a place out; returns it with the sections around it."""
    if not place:
        return ""
    section, *inner = (str(part) for part in place)
    if inner and isinstance(values.get(section), dict):
        return f"{section}.{_drop(values[section], tuple(inner))}"
    values.pop(section, None)
    return section


def _values(file: Path | None, overrides: dict[str, Any]) -> dict[str, Any]:
    values = _read(file) if file else {}
    # A section of which every key is a comment has nothing below it in YAML.
    values = {
        key: value for key, value in values.items() if value is not None or key not in _SECTIONS
    }
    for key, value in overrides.items():
        _assign(values, key, value)
    return values


def _settled(config: Config, file: Path | None, overrides: dict[str, Any]) -> Config:
    def base(key: str) -> Path:
        # A path in a file is relative to that file, so that a scheduled run finds it from anywhere.
        return file.parent if file and key not in overrides else Path()

    return with_settled_paths(config, base)


def parse_assignment(text: str) -> tuple[str, Any]:
    """Reads KEY=VALUE, the value as YAML: a number, a list, a word.

    A hash is a letter there, as in the name of a folder, and begins no remark.

    Raises:
        UsageError: it is not of that form.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set expects KEY=VALUE, such as tuning.trials=30; got {_shown(text)}.")
    try:
        read = parse_yaml(value)
    except YamlTextError as error:
        raise UsageError(
            f"--set {key}: expected a number, a word or [a, list]; got {_shown(value)} ({error}). "
            "Put text with signs in quotes of its own: --set 'data.ignore=[\"*_mask.png\"]'."
        ) from None
    return key, read if has_no_remark(value) else value


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.exists() and not file.is_file():
            raise UsageError(f"The configuration file {file} is not a file.")
        if file.stat().st_size > _MOST_BYTES:
            raise UsageError(f"The configuration file {file} is larger than {_MOST_BYTES:,} bytes.")
        values = parse_yaml(decoded(file.read_bytes()))
    except FileNotFoundError:
        raise UsageError(
            f"There is no configuration file {file}. `graft init` writes one."
        ) from None
    except OSError as error:
        raise UsageError(f"The configuration file {file} cannot be read: {error}.") from None
    except YamlTextError as error:
        raise UsageError(f"The configuration file {file} is not right: {error}") from None
    except ValueError as error:
        raise UsageError(f"The configuration file {file} cannot be read: {error}.") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UsageError(
            f"The configuration file {file} should hold keys and values, such as "
            f"`data: {{path: photos}}`; it holds a {type(values).__name__}."
        )
    return values


def _assign(values: dict[str, Any], key: str, value: Any) -> None:
    *sections, name = key.split(".")
    for section in sections:
        inner = values.setdefault(section, {})
        if not isinstance(inner, dict):
            raise UsageError(f"{key}: {section} is not a section of the configuration.")
        values = inner
    values[name] = value


def _explain(detail: ErrorDetails) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        section: Any = Config
        for part in detail["loc"][:-1]:
            # A number is a place in a list of sections, which may be optional.
            while isinstance(part, int) and not hasattr(section, "model_fields"):
                section = get_args(section)[0]
            if isinstance(part, str):
                section = section.model_fields[part].annotation
        if len(detail["loc"]) == 1 and "." in key:
            outer, _, inner = key.partition(".")
            return f"{_cut(key)}: write it as `{_cut(outer)}: {{{_cut(inner)}: …}}` in a file."
        return (
            f"{_cut(key)}: unknown key.{_nearest_key(key, section)} "
            f"Known here: {', '.join(sorted(section.model_fields))}."
        )
    said = detail["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    expected = _EXPECTED.get(detail["type"], said)
    hint = ""
    if detail["type"] == "literal_error":
        hint = did_you_mean(str(detail["input"]), str(detail["ctx"]["expected"]).split("'")[1::2])
    if detail["input"] is None and detail["type"] == "string_type":
        hint = " An empty text is written ''."
    return f"{key}: expected {expected}; got {_shown(detail['input'])}.{hint}"


def _nearest_key(key: str, section: type[BaseModel]) -> str:
    """Offers a key of the same section or, where none is near, of another one."""
    above, _, name = key.rpartition(".")
    near = did_you_mean(name, section.model_fields)
    if near:
        return near.replace("mean ", f"mean {above}." if above else "mean ")
    elsewhere = keys_called(name)
    return did_you_mean(elsewhere[0], elsewhere) if elsewhere else ""


def keys_called(name: str) -> list[str]:
    """All keys, with the sections that they are in, of which the last part is a name."""
    return [each for each in _keys(Config) if each.rpartition(".")[2] == name]


def _keys(section: type[BaseModel]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from (f"{name}.{inner}" for inner in _keys(field.annotation))


def _shown(value: Any) -> str:
    """A value in a message: short, and whatever it is."""
    if value is None:
        return "nothing"
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write out numbers of thousands of digits
        return "a number of thousands of digits"
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def commented_default() -> str:
    """The default configuration as YAML, with each key's meaning above it."""
    lines = ["# Configuration of Graft. Every key is optional; these are the defaults."]
    _render(Config(), 0, lines)
    return "\n".join(lines) + "\n"


def _render(section: BaseModel, depth: int, lines: list[str]) -> None:
    indent = "  " * depth
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            about = (type(value).__doc__ or "").strip().splitlines()[0]
            lines += ["", f"{indent}# {about}", f"{indent}{name}:"]
            _render(value, depth + 1, lines)
            continue
        about = " ".join((field.description or "").split())
        lines += textwrap.wrap(
            about, 96, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
        )
        lines.append(f"{indent}{name}: {_scalar(value)}")


def _scalar(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_scalar(item) for item in value) + "]"
    if value is None:
        return ""
    return yaml.safe_dump(value, allow_unicode=True).removesuffix("...\n").strip() or "''"


def as_yaml(config: Config) -> str:
    """The configuration as plain YAML, readable by `load_config`."""
    written = with_sources(config).model_dump(mode="json")
    return yaml.safe_dump(written, sort_keys=False, allow_unicode=True)
