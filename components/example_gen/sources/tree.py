"""The folders of a source, with what the user or a system hides left out."""

import contextlib
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import LeftOut, printable
from components.example_gen.sources.file_kinds import (
    has_sidecar_suffix,
    is_folder,
    is_hidden,
    is_meant_as_image,
)
from components.example_gen.sources.ignored import ignored
from components.example_gen.sources.links import leaves_root, link_outside, linked_folder_outside

_MANY = 20


@dataclass(slots=True)
class File:
    """An entry that is no folder.

    Attributes:
        entry: as the folder was read.
        name: path relative to the source, printable.
        folder: which it lies in.
    """

    entry: os.DirEntry[str]
    name: str
    folder: "Folder"


@dataclass(frozen=True)
class Folder:
    """A folder of the source. Its entries are read anew each time: there may be millions.

    Attributes:
        path: where it lies.
        name: path relative to the source, printable; empty for the source itself.
        root: the source's path.
        settings: what is ignored, and whether links may lead out.
        is_link: whether it is a link to a folder.
    """

    path: str
    name: str
    root: str
    settings: IngestSettings
    is_link: bool = False

    @property
    def title(self) -> str:
        """The last part of its path, as it lies on the disk."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def folders(self) -> tuple["Folder", ...]:
        """Folders in it, sorted by name; none where it cannot be read."""
        return self._survey[0]

    @cached_property
    def with_images(self) -> tuple["Folder", ...]:
        """Folders in it that hold an image at any depth."""
        return tuple(folder for folder in self.folders if folder.holds_images)

    @cached_property
    def holds_images(self) -> bool:
        """Whether an image lies in it at any depth."""
        below = (isinstance(one, File) and is_image(one) for one in walk(self))
        return self._survey[1] > 0 or any(below)

    @property
    def has_images_beside_folders(self) -> bool:
        """Whether it holds images of its own, and more of them than folders.

        A preview or two beside folders do not make it a folder of images.
        """
        folders, images = self._survey
        return images > min(len(folders), _MANY - 1)

    @cached_property
    def _survey(self) -> tuple[tuple["Folder", ...], int]:
        """Folders in it, and how many images, counted up to many."""
        folders: list[Folder] = []
        images = 0
        with contextlib.suppress(OSError):  # the listing says so
            for entry in self._read():
                if images == _MANY and entry.is_file(follow_symlinks=False):
                    continue
                one = self._seen(entry)
                if isinstance(one, Folder):
                    folders.append(one)
                elif images < _MANY and isinstance(one, File):
                    images += is_image(one)
        return tuple(folders), images

    def entries(self) -> Iterator["File | Folder | LeftOut"]:
        """Returns what lies in it, sorted by name.

        Raises:
            OSError: it cannot be read.
        """
        return map(self._seen, self._read())

    def _read(self) -> list[os.DirEntry[str]]:
        with os.scandir(self.path) as found:
            return sorted(found, key=attrgetter("name"))

    def _seen(self, entry: os.DirEntry[str]) -> "File | Folder | LeftOut":
        name = printable(entry.name)
        if self.name:
            name = f"{self.name}/{name}"
        hidden = is_hidden(entry.name)
        if not (hidden or self.settings.ignore) and entry.is_file(follow_symlinks=False):
            return File(entry, name, self)  # nearly all entries
        if hidden:
            slash = "/" * entry.is_dir(follow_symlinks=False)
            return LeftOut(name + slash, "hidden", "it is hidden, or a system's own", "passed_over")
        if line := ignored(name, self.settings):
            slash = "/" * entry.is_dir(follow_symlinks=False)
            return LeftOut(name + slash, line.code, line.reason, line.fate)
        if not self.settings.follow_links and _leads_out(entry, self.root):
            if is_folder(entry):
                return linked_folder_outside(name, entry.path, self.root)
            return sidecar(name) if has_sidecar_suffix(entry.name) else link_outside(name)
        if is_folder(entry):
            return Folder(entry.path, name, self.root, self.settings, entry.is_symlink())
        return File(entry, name, self)


def walk(top: Folder) -> Iterator[File | LeftOut]:
    """Yields all files below a folder, and what is not entered, with the reason.

    A link to a folder that holds `top` would make one class of all the others: it is not entered.
    Links come last, so that a file goes by the name of the real folder that it lies in.
    """
    pending = deque([top])
    holding = Path(top.path).parent.resolve()
    seen = {_identity(folder.stat()) for folder in (holding, *holding.parents)}
    while pending:
        folder = pending.pop()
        try:
            identity = _identity(Path(folder.path).stat())
            if identity in seen:
                reason = "this link leads to a folder that holds it, or that was read already"
                yield LeftOut(folder.name, "symlink_loop", reason)
                continue
            seen.add(identity)
            for one in folder.entries():
                if not isinstance(one, Folder):
                    yield one
                elif one.is_link:
                    pending.appendleft(one)
                else:
                    pending.append(one)
        except OSError as error:
            yield unreadable(folder, error)


def is_image(file: File) -> bool:
    """Whether a file should have been an image, by its name or its first bytes."""
    return is_meant_as_image(file.entry)


def sidecar(name: str) -> LeftOut:
    """The line of the quarantine for a file that was never meant to be an image."""
    return LeftOut(name, "sidecar", "by its name and content it is no image", "passed_over")


def unreadable(folder: Folder, error: OSError) -> LeftOut:
    """The line of the quarantine for a folder that cannot be read: it may hold whole classes."""
    return LeftOut(f"{folder.name}/", "closed_folder", error.strerror or str(error), "unknown")


def _leads_out(entry: os.DirEntry[str], root: str) -> bool:
    return entry.is_symlink() and leaves_root(entry.path, root)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
