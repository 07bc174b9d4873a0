"""Folders that look like a SavedModel, for the tests of the push."""

import os
from pathlib import Path


def model_folder(folder: Path, text: str, files: int = 1, size: int = 100) -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "assets.extra").mkdir()
    (folder / "saved_model.pb").write_text(text)
    (folder / "assets.extra" / "graft.json").write_text("{}")
    for number in range(files):
        (folder / "variables" / f"part-{number}").write_bytes(os.urandom(size))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
