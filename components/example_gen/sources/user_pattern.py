"""What a pattern of the user's names in paths, within a time."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from components.example_gen.sources import pattern_search
from models.errors import UsageError

_SECONDS: Final = 10.0
_SECONDS_A_PATH: Final = 1e-3
"""A thousand times what a usual pattern takes."""


def found_in(names: Sequence[str], pattern: str, key: str, seconds: float = _SECONDS) -> list[str]:
    """Finds what a pattern of the user's names in each path.

    Args:
        names: paths relative to the data, printable.
        pattern: a regular expression; empty for none.
        key: of the configuration that holds it, for messages.
        seconds: that the pattern may take, beside a thousandth for each path.

    Returns:
        For each what the first bracket of the pattern matches, or all that it matches where it has
        no bracket; empty where there is no pattern, or none that matches.

    Raises:
        UsageError: the pattern takes too long.
    """
    if not pattern or not names:
        return [""] * len(names)
    seconds += _SECONDS_A_PATH * len(names)
    try:
        done = subprocess.run(
            [sys.executable, "-I", pattern_search.__file__],
            input=json.dumps([pattern, list(names)]).encode(),
            capture_output=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"{key}: the pattern {pattern!r} was not done with {len(names):,} paths, "
            f"such as {names[0]!r}, after {seconds:.0f} s. Expected one that is done at once. A "
            "repeat within a repeat, such as (a+)+, or several .* in a row can take for ever: "
            'write what stands between slashes instead, such as "(patient\\d+)_".'
        ) from None
    found: list[str] = json.loads(done.stdout)
    return found
