"""Tells data that was changed from data that was not, without opening an image."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.manifest_rows import csv_rows, json_rows
from components.example_gen.sources.manifest_text import SUFFIXES, read_text
from components.example_gen.sources.named_files import file_of_name, images_folder
from components.example_gen.sources.span_window import SpanWindow
from components.example_gen.sources.spans import chosen_spans, has_placeholder


def data_stamp(settings: IngestSettings) -> str:
    """Digests the names, sizes and times of all files of the data.

    A file that was touched looks changed. That costs a run that finds all in its cache; a change
    that were not seen would cost more.

    Args:
        settings: where the data lies.

    Returns:
        64 hex digits.

    Raises:
        BadDataError: a placeholder matches nothing, or a manifest cannot be read.
        OSError: a folder or a file is missing or cannot be looked at.
    """
    digest = hashlib.sha256()
    for path in _places(settings):
        digest.update(json.dumps(path).encode())
        for name in sorted(_files(path, settings)):
            digest.update(_line(name))
    return digest.hexdigest()


def _places(settings: IngestSettings) -> list[str]:
    """The path, or one for each span that is trained on; and the folders without labels."""
    path = str(Path(settings.path).expanduser().absolute())
    if has_placeholder(path) and not Path(path).exists():
        spans = chosen_spans(path, SpanWindow.parse(settings.spans))
        places = [location.path for location in spans]
    else:
        places = [path]
    return [*places, *filter(None, (settings.unlabelled, settings.target))]


def _files(path: str, settings: IngestSettings) -> Iterator[str]:
    if Path(path).is_dir():
        yield from _below(path, settings.follow_links)
        return
    yield path
    if path.lower().endswith(SUFFIXES):
        yield from _named(path, settings)


def _below(folder: str, follow_links: bool) -> Iterator[str]:
    for place, folders, files in os.walk(folder, followlinks=follow_links):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (f"{place}/{name}" for name in files if not name.startswith("."))


def _named(manifest: str, settings: IngestSettings) -> Iterator[str]:
    text = read_text(manifest, settings.encoding)
    names, folder = settings.columns.meanings, images_folder(manifest, settings)
    is_json = manifest.lower().endswith(".jsonl")
    for row in json_rows(text, names) if is_json else csv_rows(manifest, text, (), names):
        named = row.cells.get("path")
        if isinstance(named, str) and named:
            yield file_of_name(folder, named.strip(), settings) or str(folder / named)


def _line(name: str) -> bytes:
    try:
        found = Path(name).stat()
        stamp = [found.st_size, found.st_mtime_ns]
    except (OSError, ValueError):  # a row that names no file; a link that leads nowhere
        stamp = []
    return json.dumps([name, *stamp]).encode() + b"\n"
