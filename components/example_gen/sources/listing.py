"""From the path in the configuration to a listing of images."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources import folder, manifest, manifest_text, tfrecord
from components.example_gen.sources.columns import refuse_columns_of_a_folder
from components.example_gen.sources.entries import LeftOut, Listing
from components.example_gen.sources.questions import LAYOUT, hint_of_archive, hint_of_table
from components.example_gen.sources.refusals import RefusedSourceError, describe_all
from components.example_gen.sources.span_window import SpanWindow
from components.example_gen.sources.spans import Location, chosen_spans, has_placeholder
from models.errors import BadDataError, UsageError


def resolve(path: str, spans: str = "newest") -> tuple[Location, ...]:
    """Fills `{SPAN}` and `{VERSION}` (or `{DATE}`, or `{YYYY}`, `{MM}`, `{DD}`).

    Args:
        path: as the user wrote it.
        spans: which of the spans there are, as `SpanWindow.parse` reads it.

    Returns:
        Where the data lies now, the oldest span first.

    Raises:
        BadDataError: no path was given, nothing lies there, or a placeholder matches nothing.
    """
    if not path:
        raise BadDataError("No data was named: give --data DIR, or data.path in the configuration.")
    absolute = str(Path(path).expanduser().absolute())
    if has_placeholder(absolute) and not Path(absolute).exists():
        return chosen_spans(absolute, SpanWindow.parse(spans))
    if not Path(absolute).exists():
        raise BadDataError(f"There is nothing at {absolute}; {LAYOUT}.")
    return (Location(absolute),)


def list_locations(
    locations: Sequence[Location], settings: IngestSettings, columns: Sequence[str] = ()
) -> Listing:
    """Lists the images of all spans as one source, where each name begins with its span.

    Args:
        locations: from `resolve`; of several, one that holds nothing usable is left out.
        settings: what is passed over, and how text is decoded.
        columns: see `list_source`.

    Returns:
        What lies there.

    Raises:
        BadDataError: one is unlike the others, or none holds anything to ingest.
        UsageError: one lacks a column.
    """
    if len(locations) == 1:
        return list_source(locations[0].path, settings, columns)
    found = [_list_span(location, settings, columns) for location in locations]
    listings = [each for each in found if isinstance(each, Listing)]
    left_out = tuple(
        chain(*(each.left_out if isinstance(each, Listing) else each for each in found))
    )
    kinds = sorted({listing.kind for listing in listings})
    if len(kinds) != 1:
        what = f"Expected spans of one kind, found {' and '.join(kinds)}" if kinds else "No images"
        message = f"{what} in {len(locations)} spans. {describe_all(left_out)}".rstrip()
        files = (file.name for listing in listings for file in listing.files)
        raise RefusedSourceError(message, left_out, files)
    layouts = dict.fromkeys(listing.layout for listing in listings if listing.layout)
    return Listing(
        listings[0].kind,
        str(Path(listings[0].root).parent),
        tuple(file for listing in listings for file in listing.files),
        left_out,
        " ".join(layouts),
    )


def _list_span(
    location: Location, settings: IngestSettings, columns: Sequence[str]
) -> Listing | tuple[LeftOut, ...]:
    """A span, where each name begins with its own; only what is left out where that is all."""

    def left_out(those: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
        return tuple(replace(one, name=f"{location.name}/{one.name}") for one in those)

    try:
        listing = list_source(location.path, settings, columns)
    except RefusedSourceError as error:
        whole = LeftOut(location.name, "empty_span", "It holds nothing that can be used.")
        return (whole, *left_out(error.left_out))
    except BadDataError as error:
        return (LeftOut(location.name, "empty_span", str(error)),)
    files = tuple(replace(file, name=f"{location.name}/{file.name}") for file in listing.files)
    return replace(listing, files=files, left_out=left_out(listing.left_out))


def list_source(path: str, settings: IngestSettings, columns: Sequence[str] = ()) -> Listing:
    """Lists the images at a resolved path, by the kind of thing that it is.

    Args:
        path: a folder, a manifest, or a TFRecord file.
        settings: what is passed over, and how text is decoded.
        columns: of a manifest, or features of records, that each image's values are wanted of.

    Returns:
        What lies there. The values of records are read with their images.

    Raises:
        BadDataError: it is none of these, cannot be read, or holds nothing to ingest.
        UsageError: a manifest lacks a column, or a folder is asked for one.
    """
    listing = _list_by_kind(path, settings, columns)
    if listing.files:
        return listing
    images = "images that can be used" if listing.left_out else "images"
    reasons = describe_all(listing.left_out)
    message = f"{path} holds no {images}; {LAYOUT}. {reasons}".rstrip()
    raise RefusedSourceError(message, listing.left_out)


def _list_by_kind(path: str, settings: IngestSettings, columns: Sequence[str]) -> Listing:
    if settings.class_pattern and not Path(path).is_dir():
        raise UsageError(
            f"data.class_pattern: expected a folder of images, whose names say their classes; "
            f"{path} says them itself. Leave it out."
        )
    try:
        Path(path).stat()
        if records := tfrecord.list_tfrecords(path, settings):
            return records
        if Path(path).is_dir():
            refuse_columns_of_a_folder(path, columns, settings)
            return folder.list_folder(path, settings)
    except OSError as error:
        raise BadDataError(f"{path} cannot be read: {error.strerror}.") from error
    if path.lower().endswith(manifest_text.SUFFIXES):
        return manifest.list_manifest(path, settings, columns)
    raise BadDataError(
        f"{path} is no folder, no .csv or .jsonl manifest and no .tfrecord file; {LAYOUT}."
        f"{hint_of_archive(path) or hint_of_table(path)}"
    )
