"""The group that a path names (`data.group`): images of one thing, kept on one side."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources import pattern_search
from components.example_gen.sources.entries import SourceFile
from models.errors import UsageError

_SECONDS: Final = 10.0
_SECONDS_A_PATH: Final = 1e-3
"""A thousand times what a usual pattern takes."""


def in_groups(files: Sequence[SourceFile], settings: IngestSettings) -> list[SourceFile]:
    """Gives files the groups that their paths name; see `groups_of`."""
    if not settings.group:
        return list(files)
    groups = groups_of([file.name for file in files], settings)
    return [replace(file, group=group) for file, group in zip(files, groups, strict=True)]


def groups_of(
    names: Sequence[str], settings: IngestSettings, seconds: float = _SECONDS
) -> list[str]:
    """Finds the group that each path is of, where `data.group` is a pattern.

    Args:
        names: paths relative to the data, printable.
        settings: hold the pattern.
        seconds: that the pattern may take, beside a thousandth for each path.

    Returns:
        For each what the first bracket of the pattern matches, or all that it matches where it has
        no bracket; empty where there is no pattern, or none that matches.

    Raises:
        UsageError: the pattern takes too long.
    """
    if not settings.group or not names:
        return [""] * len(names)
    seconds += _SECONDS_A_PATH * len(names)
    try:
        done = subprocess.run(
            [sys.executable, "-I", pattern_search.__file__],
            input=json.dumps([settings.group, list(names)]).encode(),
            capture_output=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"data.group: the pattern {settings.group!r} was not done with {len(names):,} paths, "
            f"such as {names[0]!r}, after {seconds:.0f} s. Expected one that is done at once. A "
            "repeat within a repeat, such as (a+)+, or several .* in a row can take for ever: "
            'write what stands between slashes instead, such as "(patient\\d+)_".'
        ) from None
    found: list[str] = json.loads(done.stdout)
    return found
