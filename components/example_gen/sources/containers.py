"""Which files of a folder are TFRecords: by their content, and by names that only these have."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import count, islice
from pathlib import Path

from components.example_gen.sources.entries import LeftOut, canonical_split, printable
from components.example_gen.sources.files import is_folder, visible_entries
from components.example_gen.sources.record_file import is_record_file

_NAMED = re.compile(r"\.tfrec(ords?)?(-\d+-of-\d+)?(\.gz|\.zlib)?$", re.IGNORECASE)
_SHARD = re.compile(r"(.*?)(\d{1,9})-of-(\d{1,9})(\D.*|)", re.DOTALL)
_IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")

_Family = tuple[Path, str, str, str]


def is_container(path: str) -> bool:
    """Whether a file is a TFRecord file, be it whole or damaged.

    Args:
        path: of anything.
    """
    return Path(path).is_file() and (bool(_NAMED.search(path)) or is_record_file(path))


def find_containers(root: str) -> list[Path]:
    """Finds the TFRecord files of a folder, in it and one level below.

    A file without a telling name is looked into where TFRecords lie loose: in the folder itself
    and in that of a split. One that is damaged at its start is known by the names of its shards.

    Args:
        root: an existing folder.

    Returns:
        The TFRecord files, sorted; none where the folders below hold more images than there are
        such files.

    Raises:
        OSError: the folder cannot be read.
    """
    found = {Path(entry.path) for entry, may_hide in _files(root) if _is_container(entry, may_hide)}
    families = {_family(path) for path in found} - {None}
    if families:
        paths = (Path(entry.path) for entry, _ in _files(root))
        found |= {path for path in paths if _family(path) in families and path.is_file()}
    if not found or _images_below(root, len(found) + 1) > len(found):
        return []
    return sorted(found)


def find_others(root: str, containers: Iterable[Path]) -> list[LeftOut]:
    """Lists what lies beside the TFRecord files of a folder, which is passed over.

    Args:
        root: the folder.
        containers: what `find_containers` found.
    """
    known = {str(path) for path in containers}
    entries = [entry for entry, _ in _files(root)] + list(_deeper(root))
    return [
        LeftOut(
            printable(os.path.relpath(entry.path, root)) + "/" * is_folder(entry),
            "no_records",
            "it is no TFRecord file, as those beside it are",
            "passed_over",
        )
        for entry in entries
        if entry.path not in known
    ]


def missing_shards(root: str, containers: Iterable[Path]) -> list[LeftOut]:
    """Lists the shards that are not there, by the names of those that are.

    Args:
        root: the folder.
        containers: what `find_containers` found.

    Returns:
        One line for each `NAME-*-of-N` that is incomplete, under the name of its first missing
        shard.
    """
    present: dict[_Family, set[int]] = defaultdict(set)
    for path in containers:
        if family := _family(path):
            present[family].add(_index(path))
    lines = []
    for (folder, before, total, behind), indices in present.items():
        missing = int(total) - len(indices)
        if missing:
            first = next(index for index in count() if index not in indices)
            path = folder / f"{before}{first:0{len(total)}d}-of-{total}{behind}"
            reason = f"{missing:,} of the {int(total):,} files with such names are not there"
            name = printable(os.path.relpath(path, root))
            lines.append(LeftOut(name, "missing_shard", f"{reason}, this one first", "unknown"))
    return lines


def _files(root: str) -> Iterator[tuple[os.DirEntry[str], bool]]:
    """Yields what lies in a folder and one level below, and whether records may have any name."""
    for entry in visible_entries(root):
        if not is_folder(entry):
            yield entry, True
            continue
        for inner in _inside(entry):
            if not is_folder(inner):
                yield inner, canonical_split(entry.name) is not None


def _deeper(root: str) -> Iterator[os.DirEntry[str]]:
    """Yields the folders two levels below, which nobody looks into."""
    for entry in filter(is_folder, visible_entries(root)):
        yield from filter(is_folder, _inside(entry))


def _inside(folder: os.DirEntry[str]) -> list[os.DirEntry[str]]:
    try:
        return visible_entries(folder.path)
    except OSError:  # an unreadable folder holds no records for us
        return []


def _is_container(entry: os.DirEntry[str], may_hide: bool) -> bool:
    if _NAMED.search(entry.name):
        return entry.is_file()
    return may_hide and not entry.name.lower().endswith(_IMAGES) and is_record_file(entry.path)


def _images_below(root: str, most: int) -> int:
    """Counts images in the folders of a folder, by their names, up to a number."""
    images = (
        name
        for folder, _, names in os.walk(root)
        for name in names
        if folder != root and name.lower().endswith(_IMAGES)
    )
    return sum(1 for _ in islice(images, most))


def _family(path: Path) -> _Family | None:
    """Returns what the shards of one set have in common; None for a file that is no shard."""
    match = _SHARD.fullmatch(path.name)
    if match is None or int(match[2]) >= int(match[3]):
        return None
    return path.parent, match[1], match[3], match[4]


def _index(path: Path) -> int:
    match = _SHARD.fullmatch(path.name)
    return int(match[2]) if match else 0
