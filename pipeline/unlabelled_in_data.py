"""Images without labels that lie in the data, where they would be taken for a class."""

import json
import os
import shlex
from contextlib import suppress
from pathlib import Path

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.containers import find_containers
from components.example_gen.sources.file_kinds import is_hidden
from components.example_gen.sources.ignored import is_ignored
from components.example_gen.sources.layout import understand
from components.example_gen.sources.tree import Folder
from models.errors import BadDataError


def taken_for_classes(folder: str, data: IngestSettings) -> str:
    """Says so, and how to mend it; empty where it is not so.

    Args:
        folder: of images without labels.
        data: where the labelled ones lie, and how their folders are read.
    """
    root, inside = Path(os.path.realpath(data.path)), Path(os.path.realpath(folder))
    if root == inside or not root.is_dir() or not inside.is_relative_to(root):
        return ""
    name = inside.relative_to(root).as_posix()
    if is_ignored(name, data) or any(map(is_hidden, name.split("/"))):
        return ""
    # What cannot be read, and what is asked of folders, the ingest says in full.
    with suppress(OSError, BadDataError):
        if find_containers(str(root), data) is None and _is_of_a_class(inside, root, data):
            patterns = json.dumps([*data.ignore, name], ensure_ascii=False)
            return (
                f"{folder} lies in the data, {data.path}, where its images would be taken for "
                f"labelled ones. Leave it out there: --set {shlex.quote(f'data.ignore={patterns}')}"
            )
    return ""


def _is_of_a_class(folder: Path, root: Path, data: IngestSettings) -> bool:
    if data.class_pattern:
        return True
    layout = understand(Folder(str(root), "", str(root), data))
    classes = map(Path, layout.classes)
    return layout.inner or any(
        folder.is_relative_to(each) or each.is_relative_to(folder) for each in classes
    )
