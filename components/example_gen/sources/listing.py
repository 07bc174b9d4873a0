"""From the path in the configuration to a listing of images."""

from pathlib import Path

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources import folder, manifest, tfrecord
from components.example_gen.sources.entries import Listing
from components.example_gen.sources.questions import LAYOUT, hint_of_archive
from components.example_gen.sources.refusals import RefusedSourceError, describe_all
from components.example_gen.sources.spans import Location, has_placeholder, newest
from models.errors import BadDataError


def resolve(path: str) -> Location:
    """Fills `{SPAN}` and `{VERSION}` (or `{YYYY}`, `{MM}`, `{DD}`) with the newest there are.

    Args:
        path: as the user wrote it.

    Returns:
        Where the data lies now.

    Raises:
        BadDataError: no path was given, nothing lies there, or a placeholder matches nothing.
    """
    if not path:
        raise BadDataError("No data was named: give --data DIR, or data.path in the configuration.")
    absolute = str(Path(path).expanduser().absolute())
    location = Location(absolute)
    if has_placeholder(absolute) and not Path(absolute).exists():
        location = newest(absolute)
    if not Path(location.path).exists():
        raise BadDataError(f"There is nothing at {location.path}; {LAYOUT}.")
    return location


def list_source(path: str, settings: IngestSettings) -> Listing:
    """Lists the images at a resolved path, by the kind of thing that it is.

    Args:
        path: a folder, a manifest, or a TFRecord file.
        settings: what is passed over, and how text is decoded.

    Returns:
        What lies there.

    Raises:
        BadDataError: it is none of these, cannot be read, or holds nothing to ingest.
    """
    listing = _list_by_kind(path, settings)
    if listing.files:
        return listing
    images = "images that can be used" if listing.left_out else "images"
    reasons = describe_all(listing.left_out)
    message = f"{path} holds no {images}; {LAYOUT}. {reasons}".rstrip()
    raise RefusedSourceError(message, listing.left_out)


def _list_by_kind(path: str, settings: IngestSettings) -> Listing:
    try:
        Path(path).stat()
        if records := tfrecord.list_tfrecords(path, settings):
            return records
        if Path(path).is_dir():
            return folder.list_folder(path, settings)
    except OSError as error:
        raise BadDataError(f"{path} cannot be read: {error.strerror}.") from error
    if path.lower().endswith(manifest.SUFFIXES):
        return manifest.list_manifest(path, settings)
    raise BadDataError(
        f"{path} is no folder, no .csv or .jsonl manifest and no .tfrecord file; {LAYOUT}."
        f"{hint_of_archive(path)}"
    )
