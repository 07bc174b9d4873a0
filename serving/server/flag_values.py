"""Values of the server's flags, read from the command line."""

import argparse
import re
from pathlib import Path
from typing import Final

_HIGHEST_PORT: Final = 65535
_LARGEST_NUMBER: Final = 1e9
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def truth(text: str) -> bool:
    """True or false."""
    try:
        return _TRUTHS[text.lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false") from None


def channel_arguments(text: str) -> tuple[tuple[str, int | str], ...]:
    """Settings of gRPC's own, as KEY=VALUE with commas between."""
    arguments: list[tuple[str, int | str]] = []
    for pair in filter(None, text.split(",")):
        key, is_given, value = pair.partition("=")
        if not is_given:
            raise argparse.ArgumentTypeError(f"{pair!r} is no KEY=VALUE")
        arguments.append((key, int(value) if _NUMBER.fullmatch(value) else value))
    return tuple(arguments)


def path(text: str) -> Path | None:
    """A path; an empty one is as good as none, as for the official binary."""
    return Path(text) if text else None


def folder_of_versions(text: str) -> Path | None:
    """A folder; one in a bucket would be waited for, for ever."""
    if "://" in text:
        raise argparse.ArgumentTypeError(f"expected a folder of this machine, got {text!r}")
    return path(text)


def bounded(text: str) -> float:
    """A number that clocks can hold, as seconds or days."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not abs(number) <= _LARGEST_NUMBER:
        raise argparse.ArgumentTypeError(f"{text} is no number of at most {_LARGEST_NUMBER:.0f}")
    return number


def milliseconds(text: str) -> int:
    """A time that is not 0."""
    number = _whole(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{number} is not more than 0")
    return number


def port(text: str) -> int:
    """A port; 0 for none."""
    number = _whole(text)
    if not 0 <= number <= _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{number} is not within 0 to {_HIGHEST_PORT}")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
