"""Which files of a folder are TFRecords: by their content, and by names that only these have.

One whose start is damaged is known by its name: by its suffix, or by a name that differs in numbers
alone from that of a file with records (`part-00000`, `train-1`).
"""

import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from os import DirEntry
from pathlib import Path

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import LeftOut, canonical_split, printable
from components.example_gen.sources.file_kinds import (
    has_image_suffix,
    is_folder,
    is_meant_as_image,
    visible_entries,
)
from components.example_gen.sources.links import link_outside
from components.example_gen.sources.record_file import is_record_file
from components.example_gen.sources.tree import File, Folder, is_image, unreadable, walk

_NAMED = re.compile(r"\.tfrec(ords?)?(-\d+-of-\d+)?(\.gz|\.zlib)?$", re.IGNORECASE)
_SHARD = re.compile(r"(.*?)(\d{1,9})-of-(\d{1,9})(\D.*|)", re.DOTALL)
_NUMBER = re.compile(r"\d+")

_Family = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Containers:
    """What a folder of TFRecords holds, in it and one level below.

    Attributes:
        files: the TFRecord files.
        left_out: everything else, and the shards that are missing.
    """

    files: tuple[File, ...]
    left_out: tuple[LeftOut, ...]


def is_container(path: str) -> bool:
    """Whether a file is a TFRecord file, be it whole or damaged.

    Args:
        path: of anything.
    """
    return Path(path).is_file() and (bool(_NAMED.search(path)) or is_record_file(path))


def find_containers(root: str, settings: IngestSettings) -> Containers | None:
    """Finds the TFRecord files of a folder, in it and one level below.

    A file without a telling name is looked into where TFRecords lie loose: in the folder itself
    and in that of a split. What cannot be opened hides its records, as a damaged file does.

    Args:
        root: an existing folder.
        settings: what is passed over, and where links may lead.

    Returns:
        What is there; None where the folders below hold more images than there are TFRecord files.

    Raises:
        OSError: the folder cannot be read.
    """
    found = _find(root)
    top = Folder(root, "", root, settings)
    if not found or _images_below(top, len(found) + 1) > len(found):
        return None
    names = {printable(str(Path(path).relative_to(root))) for path in found}
    files: list[File] = []
    left_out: list[LeftOut] = []
    for one in _entries(top):
        if not isinstance(one, File) or one.entry.path not in found:
            left_out.append(_beside(one, names))
        elif problem := _unopened(one):
            left_out.append(LeftOut(one.name, "damaged_container", problem, "unknown"))
        else:
            files.append(one)
    missing = _missing_shards([file.name for file in files], [one.name for one in left_out])
    return Containers(tuple(files), (*left_out, *missing))


def _find(root: str) -> set[str]:
    files = list(_files(root))
    found = {entry.path for entry, may_hide in files if _is_container(entry, may_hide)}
    numbered = {name for path in found if (name := _without_numbers(path))}
    if numbered:
        found |= {
            one.path
            for one, _ in files
            if _without_numbers(one.path) in numbered and not _is_image(one)
        }
    return found


def _files(root: str) -> Iterator[tuple[DirEntry[str], bool]]:
    """Yields what lies in a folder and one level below, and whether records may have any name."""
    for entry in visible_entries(root):
        if not is_folder(entry):
            yield entry, True
            continue
        try:
            inside = visible_entries(entry.path)
        except OSError:  # an unreadable folder holds no records for us
            continue
        for inner in inside:
            if not is_folder(inner):
                yield inner, canonical_split(entry.name) is not None


def _is_container(entry: DirEntry[str], may_hide: bool) -> bool:
    if _NAMED.search(entry.name):
        return True
    return may_hide and not has_image_suffix(entry.name) and is_record_file(entry.path)


def _is_image(entry: DirEntry[str]) -> bool:
    return entry.is_file() and is_meant_as_image(entry)


def _images_below(top: Folder, most: int) -> int:
    """Counts images in the folders of a folder, up to a number."""
    images = (
        one
        for folder in top.folders
        for one in walk(folder)
        if isinstance(one, File) and is_image(one)
    )
    return sum(1 for _ in islice(images, most))


def _entries(top: Folder) -> Iterator[File | Folder | LeftOut]:
    for one in top.entries():
        if not isinstance(one, Folder):
            yield one
            continue
        try:
            yield from one.entries()
        except OSError as error:
            yield unreadable(one, error)


def _beside(one: File | Folder | LeftOut, containers: set[str]) -> LeftOut:
    """The line for what lies beside TFRecord files and is none, or may not be opened."""
    if isinstance(one, LeftOut):
        is_link_out = one.code in ("link_outside", "sidecar") and one.name in containers
        return replace(link_outside(one.name), fate="unknown") if is_link_out else one
    name = one.name + "/" * isinstance(one, Folder)
    return LeftOut(name, "no_records", "it is no TFRecord file, as those beside it", "passed_over")


def _unopened(one: File) -> str:
    """Why a file is not read; empty where it can be."""
    try:
        is_regular = stat.S_ISREG(one.entry.stat().st_mode)
    except OSError as error:  # a link to nowhere
        return f"it cannot be read: {error.strerror or error}"
    return "" if is_regular else "it is a device, a pipe or a socket"


def _missing_shards(files: Iterable[str], others: Iterable[str]) -> Iterator[LeftOut]:
    """Yields a line for each `NAME-*-of-N` that is incomplete, named by its first missing shard."""
    present: dict[_Family, set[int]] = defaultdict(set)
    for name in files:
        if family := _family(name):
            present[family].add(_index(name))
    for name in others:  # those that the user has passed over are not missing
        family = _family(name)
        if family in present:
            present[family].add(_index(name))
    for (before, total, behind), indices in present.items():
        missing = int(total) - len(indices)
        if missing:
            first = next(index for index in count() if index not in indices)
            name = f"{before}{first:0{len(total)}d}-of-{total}{behind}"
            reason = f"{missing:,} of the {int(total):,} files with such names are not there"
            yield LeftOut(name, "missing_shard", f"{reason}, this one first", "unknown")


def _family(path: str) -> _Family | None:
    """Returns what the shards of one set have in common; None for a file that is no shard."""
    match = _SHARD.fullmatch(path)
    if match is None or int(match[2]) >= int(match[3]):
        return None
    return match[1], match[3], match[4]


def _without_numbers(path: str) -> str:
    """A file's name with a star for each number in it; empty where it has none."""
    name = Path(path).name
    return _NUMBER.sub("*", name) if _NUMBER.search(name) else ""


def _index(path: str) -> int:
    match = _SHARD.fullmatch(path)
    return int(match[2]) if match else 0
