"""API keys, from the user's file into maps of nginx."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from models.byte_order_mark import decoded
from models.errors import UsageError

_LINE: Final = re.compile(r"(?P<name>[A-Za-z0-9_.-]{1,64})\s+(?P<key>[A-Za-z0-9_-]{24,256})")


def read_keys(path: Path) -> dict[str, str]:
    """Reads lines of a name and a key; empty ones and those that begin with # are passed over.

    Returns:
        Key to the name of whoever has it.

    Raises:
        UsageError: the file cannot be read, others may read it too, or a line is not of this form.
    """
    try:
        mode = path.stat().st_mode
        lines = decoded(path.read_bytes()).splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"The file of API keys {path} cannot be read: {error}.") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(f"Others can read the API keys in {path}. Run: chmod 600 {path}")
    keys: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise UsageError(
                f"Line {number} of {path} should be a name and a key of at least 24 letters, "
                "digits, '-' and '_'. `openssl rand -hex 24` makes one."
            )
        keys[match["key"]] = match["name"]
    if not keys:
        raise UsageError(f"{path} has no API key, so that nobody could ask anything.")
    return keys


def as_maps(keys: Mapping[str, str]) -> str:
    """The two maps of nginx: from the headers `X-API-Key` and `Authorization: Bearer` to a name."""
    maps = []
    for header, variable, prefix in (
        ("http_x_api_key", "client_by_key", ""),
        ("http_authorization", "client_by_bearer", "(?i:Bearer) "),
    ):
        # Compared with their case: nginx's maps of plain strings do not heed it, expressions do.
        lines = "".join(
            f'    "~^{prefix}{re.escape(key)}$" "{name}";\n' for key, name in keys.items()
        )
        maps.append(f'map ${header} ${variable} {{\n    default "";\n{lines}}}\n')
    return "".join(maps)
