"""Values of hyperparameters of other tuners, as a history can hold them."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from models.history.search_space import MOST, Choice, FloatRange, Parameter, Value

MOST_CHOICES = 1000
_MOST_CHARACTERS = 1000
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_MISSING = {"", "none", "null", "nan", "na", "<na>"}
_TRUTH = {"true": True, "false": False}
_WITH_COMMA = re.compile(r"[+-]?[0-9]*(?:,[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:[,'\s][0-9]{3})+")
_SAYS_TWO = re.compile(rf"{_THOUSANDS.pattern}|[+-]?0,[0-9]+|[+-]?[0-9.,]+\s*%")
"""Numbers in ways that not all people write them, or not in all cells."""

Values = Mapping[str, object]


def flat(values: Values, prefix: str = "", depth: int = 8) -> dict[str, object]:
    """Parameters within parameters by one name each: `{"model": {"lr": 1}}` is "model/lr"."""
    found: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, dict) and depth:
            found |= flat(value, f"{prefix}{name}/", depth - 1)
        else:
            found[f"{prefix}{name}"] = value
    return found


def typed(cells: Sequence[str], *, has_commas: bool = False) -> list[Value | None]:
    """A column of text as what it says: truth values, numbers or text; None where it is empty.

    Numbers only where all cells are numbers: in a column of names "1" is a name. Where all end in
    "%" they are hundredths.

    Args:
        cells: of the column.
        has_commas: decimals come after a comma. A column in which each comma may as well part
            thousands stays text.
    """
    filled = [cell.strip() for cell in cells if cell.strip().lower() not in _MISSING]
    if all(cell.lower() in _TRUTH for cell in filled):
        return [_TRUTH.get(cell.strip().lower()) for cell in cells]
    said: Iterator[Value] = iter(_numbers(filled, has_commas) or filled)
    return [None if cell.strip().lower() in _MISSING else next(said) for cell in cells]


def is_number(cell: str) -> bool:
    """Whether a cell is a number by itself, whatever the rest of its column holds."""
    return _number(cell) is not None


def unclear_number(column: Sequence[Value | None]) -> str | None:
    """A cell that keeps a column of numbers from being one, such as "1,024" or "20%" beside 0.3.

    Args:
        column: as `typed` gives it.

    Returns:
        None where the column holds numbers, or text that was never meant to be a number.
    """
    texts = [cell for cell in column if isinstance(cell, str)]
    others = [text for text in texts if not is_number(text)]
    return others[0] if others and all(map(_SAYS_TWO.fullmatch, others)) else None


def storable(value: object) -> Value | None:
    """A value as a history can hold it; None for a list, a number too large, a text too long."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else None
    if isinstance(value, float):
        return value if math.isfinite(value) and abs(value) <= MOST else None
    if isinstance(value, str):
        return value if len(value) <= _MOST_CHARACTERS and _is_unicode(value) else None
    return None


def _is_unicode(text: str) -> bool:
    """Whether UTF-8 has it; JSON can hold halves of characters."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def is_of_one_kind(values: Sequence[Value]) -> bool:
    """Whether all are text, all truth values or all numbers."""
    return len({str if isinstance(v, str) else isinstance(v, bool) for v in values}) == 1


def seen_space(name: str, values: Sequence[Value]) -> Parameter | None:
    """What was tried of a parameter: from the least to the greatest number, or all the choices.

    Args:
        name: of the parameter.
        values: of one kind, at least one.

    Returns:
        None for more than `MOST_CHOICES` different texts.
    """
    if isinstance(values[0], str | bool):
        choices = tuple(sorted(set(values), key=str))
        return Choice(name=name, values=choices) if len(choices) <= MOST_CHOICES else None
    numbers = [float(value) for value in values]
    return FloatRange(name=name, low=min(numbers), high=max(numbers))


def whole_numbers(name: str, low: int, high: int, step: int, *, log: bool) -> Parameter:
    """A range of whole numbers: as choices where they are few, else as a range."""
    count = (high - low) // max(step, 1) + 1
    if 0 < count <= MOST_CHOICES and not log:
        return Choice(name=name, values=tuple(range(low, high + 1, max(step, 1))))
    scale = "log" if log and low > 0 else "linear"
    return FloatRange.model_validate({"name": name, "low": low, "high": high, "scale": scale})


def _numbers(filled: Sequence[str], has_commas: bool) -> list[Value] | None:
    """All cells as numbers; None where one of them is none, or may be two."""
    is_share = all(cell.endswith("%") for cell in filled)
    bare = [cell.removesuffix("%").rstrip() for cell in filled] if is_share else filled
    parted = [cell for cell in bare if "," in cell]
    are_decimals = not all(map(_THOUSANDS.fullmatch, parted)) and all(
        map(_WITH_COMMA.fullmatch, bare)
    )
    if has_commas and are_decimals:
        bare = [cell.replace(",", ".") for cell in bare]
    numbers = [number for cell in bare if (number := _number(cell)) is not None]
    if len(numbers) < len(filled):
        return None
    return [float(number) / 100 for number in numbers] if is_share else numbers


def _number(text: str) -> Value | None:
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number
