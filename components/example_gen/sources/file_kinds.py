"""What a folder holds: which entries are seen, which are images, and which are worth reading."""

import os
import stat
from pathlib import Path

from components.example_gen.sources.entries import LeftOut, Stamp, stamp_of
from models.data.first_bytes import begins_like_an_image

MAX_FILE_BYTES = 512 * 1024 * 1024
"""Larger files are refused unread: no image to learn from is that large."""

_OF_SYSTEMS = frozenset(
    ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found")
)
"""Folders that systems leave behind; people do not see them, or do not mean them."""

_IMAGES = """
jpg jpeg jpe jfif pjpeg png apng gif bmp dib tif tiff webp heic heif hif avif jp2 j2k jpx jpf jxl
ico icns svg svgz psd xcf pbm pgm ppm pnm pam tga pcx dds exr hdr raw dng cr2 cr3 crw nef nrw arw
orf rw2 raf pef srw dcm dicom
"""
_SIDECARS = """
txt md rst json jsonl geojson xml yaml yml toml csv tsv xls xlsx ods parquet feather arrow db sqlite
ini cfg conf log html htm pdf doc docx odt rtf tex bib py ipynb sh bat js ts css r m lua c h cpp npy
npz mat pkl pickle h5 hdf5 pt pth onnx tfrecord zip tar gz tgz bz2 xz 7z rar mp4 avi mov mkv wmv
webm mp3 wav url lnk xmp aae pbtxt names lst sha256 md5
"""
IMAGE_SUFFIXES = frozenset(_IMAGES.split())
"""File name endings of images, be they read or not: such a file should have been an image."""
SIDECAR_SUFFIXES = frozenset(_SIDECARS.split())
"""File name endings of what lies beside images: annotations, notes, programs, archives."""
_HEAD = 32


def inspect(file: os.DirEntry[str] | Path, name: str) -> Stamp | LeftOut:
    """Returns a file's stamp, or why it is not worth reading."""
    try:
        status = file.stat()
    except OSError as error:
        return LeftOut(name, "unreadable", error.strerror or str(error))
    if not stat.S_ISREG(status.st_mode):
        kind = "folder" if stat.S_ISDIR(status.st_mode) else "device, a pipe or a socket"
        return LeftOut(name, "not_a_file", f"it is a {kind}")
    if status.st_size > MAX_FILE_BYTES:
        return LeftOut(name, "too_large", f"{status.st_size:,} bytes are too many for an image")
    return stamp_of(status)


def open_regular(path: str) -> tuple[int, os.stat_result]:
    """Opens a regular file for reading; never waits, whatever the path has become.

    Returns:
        A file descriptor, which the caller closes, and what the file is now.

    Raises:
        OSError: it cannot be opened, or is a device, a pipe or a socket.
    """
    # Without the flag, opening a pipe waits for a writer.
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    status = os.fstat(file)
    if stat.S_ISREG(status.st_mode):
        return file, status
    os.close(file)
    raise OSError(f"{path} is a device, a pipe or a socket")


def is_hidden(name: str) -> bool:
    """Whether an entry of this name is not looked at: hidden, or a folder that a system made."""
    return name.startswith(".") or name in _OF_SYSTEMS


def visible_entries(folder: str) -> list[os.DirEntry[str]]:
    """Entries of a folder without the hidden ones, sorted by name.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(folder) as entries:
        return sorted((e for e in entries if not is_hidden(e.name)), key=lambda entry: entry.name)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link that points at itself
        return False


def has_sidecar_suffix(name: str) -> bool:
    """Whether a file's name says that it was never meant to be an image."""
    return _suffix(name) in SIDECAR_SUFFIXES


def has_image_suffix(name: str) -> bool:
    """Whether a file's name says that it should have been an image."""
    return _suffix(name) in IMAGE_SUFFIXES


def is_meant_as_image(file: os.DirEntry[str]) -> bool:
    """Whether a file should have been an image.

    The ending of its name decides; where there is none, or one that is not known, the first
    bytes do. What cannot be looked into counts as an image, so that somebody hears of it.
    """
    suffix = _suffix(file.name)
    if suffix in IMAGE_SUFFIXES or suffix in SIDECAR_SUFFIXES:
        return suffix in IMAGE_SUFFIXES
    try:
        return not file.is_file() or begins_like_an_image(_head(file.path))
    except OSError:
        return True


def _suffix(name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return suffix.lower() if stem else ""


def _head(path: str) -> bytes:
    file, _ = open_regular(path)
    try:
        return os.read(file, _HEAD)
    finally:
        os.close(file)
