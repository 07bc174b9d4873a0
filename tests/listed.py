"""Folders of files for the tests of ingest, and what a listing of them says."""

from pathlib import Path

from components.example_gen.sources.entries import Listing


def put(root: Path, *names: str) -> None:
    """Writes files whose content is their name."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "surrogateescape"))


def entries(listing: Listing) -> set[tuple[str, str, str | None]]:
    """Name, class and split of every image."""
    return {(file.name, file.label, file.split) for file in listing.files}


def codes(listing: Listing) -> dict[str, str]:
    """Why each thing was left out."""
    return {one.name: one.code for one in listing.left_out}


def fates(listing: Listing) -> dict[str, str]:
    """What became of each thing that was left out."""
    return {one.name: one.fate for one in listing.left_out}
