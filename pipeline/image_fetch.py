"""Fetches images that lie in a bucket, before anything looks at them."""

import hashlib
import sys
from pathlib import Path

from components.example_gen.sources.manifest_text import SUFFIXES
from components.example_gen.sources.span_window import SpanWindow
from components.example_gen.sources.spans import chosen_spans, has_placeholder
from models.errors import BadDataError, UsageError
from models.storage.buckets import Bucket
from models.storage.mirror import Mirror
from models.storage.place_error import PlaceError
from pipeline.config import Config
from pipeline.fetched_paths import FETCHED, images_by_key, source_of


def fetch_images(config: Config) -> None:
    """Brings the workspace's copies up to date with the buckets that the configuration names.

    Of spans only those in the window are fetched, and the copies of the others are deleted. To be
    called while the workspace is held.

    Args:
        config: the effective configuration; its paths are those of the copies.

    Raises:
        UsageError: there is nothing where it says.
        BadDataError: no span is there, or none in the window.
        PlaceError: the bucket cannot be read, or the copy cannot be written; names the key.
    """
    asked = ((key, path) for key, paths in images_by_key(config).items() for path in paths)
    for key, path in asked:
        if uri := source_of(path, config.workspace_path):
            try:
                _fetch(key, path, uri, config)
            except PlaceError as error:
                raise PlaceError(
                    f"{key}: {error}. What came is kept: the same command goes on from there."
                ) from error


def _fetch(key: str, path: str, uri: str, config: Config) -> None:
    if has_placeholder(path):
        above = next(each for each in Path(path).parents if not has_placeholder(str(each)))
        tree = _BucketTree(config.workspace_path)
        try:
            spans = chosen_spans(path, SpanWindow.parse(config.data.spans), tree)
        except BadDataError as error:
            here, there = str(above), source_of(str(above), config.workspace_path)
            raise BadDataError(str(error).replace(here, there)) from None
        parts = [str(Path(span.path).relative_to(above)) for span in spans]
    else:
        bucket = Bucket(uri)
        if not bucket.is_there():
            raise UsageError(f"{key}: there is nothing at {uri}, or no such bucket.")
        is_folder = bucket.is_folder()
        above = Path(path) if is_folder else Path(path).parent
        parts = [""] if is_folder else [Path(path).name]
    if key == "data.path" and not config.data.images:
        # The images of a manifest lie beside it.
        parts = [_folder(part) if part.lower().endswith(SUFFIXES) else part for part in parts]
    root = config.workspace_path / FETCHED
    source = source_of(str(above), config.workspace_path)
    # Of its own for each address: two may be of one folder, and want other parts of it.
    notes = root / ".copies" / hashlib.sha256(uri.encode()).hexdigest()[:16]
    mirror = Mirror(source, above, notes.with_suffix(".json"), root / ".incoming")
    mirror.update(parts, lambda line: print(line, file=sys.stderr, flush=True))


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


class _BucketTree:
    """What lies in a bucket, by the paths of its copy."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace

    def names(self, folder: str) -> list[str]:
        return self._at(folder).children()

    def is_there(self, path: str) -> bool:
        return self._at(path).is_there()

    def _at(self, path: str) -> Bucket:
        return Bucket(source_of(path, self._workspace))
