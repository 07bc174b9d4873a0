"""Which caches were not used for longest."""

from collections import defaultdict
from pathlib import Path
from typing import Final

from pipeline.retention.removal import Removal
from pipeline.workspace import Workspace

_GIGABYTE: Final = 1_000_000_000
_FOLDERS: Final = ("activations", "answers", "embeddings", "training", "tuning")
"""The digests and measures of the files, which are small, stay."""


def surplus_caches(workspace: Workspace, gigabytes: float | None) -> list[Removal]:
    """What has to go so that the rest is no larger than wanted.

    Args:
        workspace: the workspace.
        gigabytes: to keep at most; None for all.
    """
    if gigabytes is None:
        return []
    entries = [
        (_last_use(paths), Removal.of("caches", *paths))
        for name in _FOLDERS
        for paths in _entries(workspace.cache / name)
    ]
    room = gigabytes * _GIGABYTE
    going = []
    for _, entry in sorted(entries, key=lambda pair: -pair[0]):
        room -= entry.size
        if room < 0:
            going.append(entry)
    return going


def _entries(folder: Path) -> list[list[Path]]:
    """Files that are of use together only: those of one folder whose names begin alike.

    A folder with folders in it is one entry.
    """
    entries: list[list[Path]] = []
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not place.is_dir() or any(path.is_dir() for path in place.iterdir()):
            entries.append([place])
            continue
        together: dict[str, list[Path]] = defaultdict(list)
        # An index goes before what it is of.
        for path in sorted(place.iterdir(), reverse=True):
            together[path.name.partition(".")[0]].append(path)
        entries += together.values()
    return entries


def _last_use(paths: list[Path]) -> float:
    # Reading leaves no trace on many disks (`noatime`): writing does.
    each = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return max((file.stat().st_mtime for file in [*paths, *each]), default=0.0)
