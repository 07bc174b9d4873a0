"""A folder of images in class folders; `layout` says how its folders are read.

Everything in it is accounted for. Each file has a line of its own, as an image or among what is
left out: refused, where it should have been an image with a class, and passed over, where it was
never meant to be one (hidden files, annotations beside the images, folders that are no class).
A folder that is not entered (hidden, ignored, unreadable) is one line, whose name ends in a slash.

Files lie at any depth below their class. Links are followed, each real folder once a class, as
long as they stay in the folder.
"""

import os
from collections.abc import Iterator
from typing import TypeGuard

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import (
    Fate,
    LeftOut,
    Listing,
    SourceFile,
    canonical_label,
)
from components.example_gen.sources.file_kinds import inspect
from components.example_gen.sources.groups import in_groups
from components.example_gen.sources.layout import NO_CLASS, Layout, understand
from components.example_gen.sources.split_names import plain_split
from components.example_gen.sources.tree import File, Folder, is_image, sidecar, unreadable, walk
from components.example_gen.sources.user_pattern import found_in

NAMED = "the class is what data.class_pattern finds in a path"
"""How folders are read where names of files say the class."""


def list_folder(root: str, settings: IngestSettings) -> Listing:
    """Lists the images of a folder.

    Args:
        root: an existing folder.
        settings: what is passed over, how folders are read, and what names a group.

    Returns:
        Its files, sorted by name.

    Raises:
        BadDataError: it has no class folders, or its folders can be read in more than one way.
        UsageError: the pattern of `data.group` takes too long.
        OSError: it cannot be read.
    """
    os.scandir(root).close()  # below, an unreadable folder is but a line of the quarantine
    top = Folder(root, "", root, settings)
    layout = Layout(said=NAMED) if settings.class_pattern else understand(top)
    lister = _Lister(layout)
    if settings.class_pattern:
        lister.list_named(top, settings.class_pattern)
    elif layout.inner:
        lister.list_inner(top)
    else:
        lister.list_around(top)
    files = tuple(in_groups(sorted(lister.files, key=lambda file: file.name), settings))
    return Listing("folder", root, files, tuple(sorted(lister.left_out)), layout.said)


class _Lister:
    """Sorts what lies in a folder into images and what is left out."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.files: list[SourceFile] = []
        self.left_out: list[LeftOut] = []

    def list_around(self, folder: Folder) -> None:
        """Lists a folder that lies around others, and these."""
        try:
            entries = list(folder.entries())
        except OSError as error:
            self.left_out.append(unreadable(folder, error))
            return
        for one in entries:
            if not isinstance(one, Folder):
                if self._is_image(one):
                    self._refuse(one, *NO_CLASS)
            elif one.path in self._layout.classes:
                self._list_class(one, *self._layout.classes[one.path])
            elif one.path in self._layout.around:
                self.list_around(one)
            else:
                self._pass_over(one)

    def list_inner(self, root: Folder) -> None:
        """Lists every image under the class that the folder it lies in is called."""
        for image in self._images_below(root):
            if image.folder.path == root.path:
                self._refuse(image, *NO_CLASS)
            else:
                self._list_image(image, canonical_label(image.folder.title), None)

    def list_named(self, root: Folder, pattern: str) -> None:
        """Lists every image under the class that a pattern finds in its path."""
        found = list(self._images_below(root))
        labels = found_in([one.name for one in found], pattern, "data.class_pattern")
        tops = {
            one.name.partition("/")[0]: plain_split(one.name.partition("/")[0]) for one in found
        }
        is_split = len({split for split in tops.values() if split}) > 1
        for one, label in zip(found, labels, strict=True):
            if not label:
                self._refuse(one, "no_class", "data.class_pattern does not match its path")
                continue
            split = tops[one.name.partition("/")[0]] if is_split and "/" in one.name else None
            self._list_image(one, canonical_label(label), split)

    def _list_class(self, folder: Folder, label: str, split: str | None) -> None:
        files, lines = len(self.files), len(self.left_out)
        for image in self._images_below(folder):
            self._list_image(image, label, split)
        refused = any(one.fate == "refused" for one in self.left_out[lines:])
        if len(self.files) == files and not refused:
            reason = "there is no image in this class folder"
            self.left_out.append(LeftOut(f"{folder.name}/", "empty_class", reason))

    def _list_image(self, image: File, label: str, split: str | None) -> None:
        if not label:
            self._refuse(image, "no_label", "the class folder's name is blank")
            return
        outcome = inspect(image.entry, image.name)
        if isinstance(outcome, LeftOut):
            self.left_out.append(outcome)
        else:
            self.files.append(SourceFile(image.entry.path, image.name, label, split, outcome))

    def _pass_over(self, folder: Folder) -> None:
        for image in self._images_below(folder):
            self._refuse(image, *self._layout.why_aside(folder), "passed_over")

    def _refuse(self, image: File, code: str, reason: str, fate: Fate = "refused") -> None:
        self.left_out.append(LeftOut(image.name, code, reason, fate))

    def _images_below(self, folder: Folder) -> Iterator[File]:
        """Yields the images of a folder, at any depth; all else in it is left out."""
        return filter(self._is_image, walk(folder))

    def _is_image(self, one: File | LeftOut) -> TypeGuard[File]:
        """Whether something is an image; else it is left out."""
        if isinstance(one, File) and is_image(one):
            return True
        self.left_out.append(sidecar(one.name) if isinstance(one, File) else one)
        return False
