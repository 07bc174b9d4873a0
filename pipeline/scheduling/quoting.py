"""One command in the words of each scheduler."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from models.errors import UsageError


def cron_line(folder: Path, arguments: Sequence[str]) -> str:
    """A command for a crontab, where a bare `%` is a line end.

    Args:
        folder: to run in.
        arguments: the program and what it is given.

    Raises:
        UsageError: a line end is in one of them, which no crontab can hold.
    """
    command = f"cd {shlex.quote(str(folder))} && {shlex.join(arguments)}"
    return one_line(command).replace("%", r"\%")


def unit_command(arguments: Sequence[str]) -> str:
    """A command for systemd, which fills in `%x` and `$NAME` and knows the quotes of C.

    Raises:
        UsageError: a line end is in one of them.
    """
    return one_line(" ".join(_quoted(each.replace("$", "$$")) for each in arguments))


def unit_text(text: str) -> str:
    """A text or a path as the value of a key of a unit.

    Raises:
        UsageError: it holds a line end.
    """
    return one_line(text).replace("\\", r"\\").replace("%", "%%")


def templated(command: str) -> str:
    """A shell command for Airflow, which fills in what Jinja's braces hold.

    Raises:
        UsageError: a line end is in it, or what Jinja would take for its own and cannot be told to
            leave alone.
    """
    one_line(command)
    if "endraw" in command:
        raise UsageError(f"Airflow takes no 'endraw' in a path: {command!r}. Rename it.")
    is_plain = not any(mark in command for mark in ("{{", "{%", "{#"))
    return command if is_plain else f"{{% raw %}}{command}{{% endraw %}}"


def one_line(text: str) -> str:
    """The text, which may stand in a line of a file, or in a comment there.

    Raises:
        UsageError: it holds a line end.
    """
    if any(end in text for end in "\n\r\0"):
        raise UsageError(f"A scheduler takes no line end in a path: {text!r}. Rename it.")
    return text


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("%", "%%")
    return f'"{escaped}"'
