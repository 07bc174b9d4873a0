"""Copies a pushed version to object storage so that no server loads half of it.

Object storage renames nothing, so a folder cannot appear in one step. A loader, though, refuses a
folder without `saved_model.pb`. So the files go to a hidden folder beside the versions first; there
each is read back and held against the digest of the push. Then the store copies them to the
version's folder, `saved_model.pb` last. What a killed publication left behind is gone on with.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import GraftError
from models.storage.buckets import Bucket
from models.storage.locations import join
from models.storage.place_error import PlaceError
from models.storage.seals import SUMS, changed_file, file_digest, read_sums

_LAST: Final = "saved_model.pb"
"""Without it no server takes a folder for a model."""
_UNFINISHED: Final = ".publish-"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Publication:
    """Result of a publication.

    Attributes:
        place: URI of the version.
        new: whether it was finished now; False if it was there already.
        sent: files that were sent; those that a killed publication had sent are not again.
    """

    place: str
    new: bool
    sent: int


def publish(version: Path, target: str) -> Publication:
    """Makes a pushed version one of the versions in a bucket, under the same number.

    Args:
        version: its folder in the serving directory.
        target: URI of the folder of versions; nothing else may write there.

    Raises:
        GraftError: the version is not as it was pushed, another model has its number in the bucket,
            or the bucket cannot be read or written. What was sent is kept for the next try.
    """
    changed = changed_file(version)
    if changed is not None:
        raise GraftError(
            f"{version} is not as it was pushed ({changed} differs), and was not published. "
            "`graft run` pushes a whole one."
        )
    try:
        return _publish(version, target)
    except PlaceError as error:
        raise GraftError(
            f"Version {version.name} is in {version.parent}, but was not published: {error}. "
            "The same command tries again, and goes on from what was sent."
        ) from error


def published_versions(target: str) -> list[int]:
    """Numbers of the versions in a bucket, finished or not, in ascending order.

    Raises:
        PlaceError: it cannot be listed.
    """
    return sorted(int(name) for name in Bucket(target).children() if name.isdecimal())


def published_bytes(target: str, number: int) -> int:
    """Size of a version in a bucket.

    Raises:
        PlaceError: it cannot be listed.
    """
    return sum(Bucket(target).sizes(str(number)).values())


def withdraw(target: str, number: int) -> None:
    """Deletes a version in a bucket, first what makes it one.

    Raises:
        PlaceError: it cannot be deleted.
    """
    _delete_folder(Bucket(target), str(number))


def _publish(version: Path, target: str) -> Publication:
    bucket, place = Bucket(target), join(target, version.name)
    wanted = read_sums(version) | {SUMS: file_digest(version / SUMS)}
    sizes = {name: (version / name).stat().st_size for name in wanted}
    there = bucket.sizes(version.name)
    if _LAST in there and not (SUMS in there and _is_listed(bucket, version)):
        raise PlaceError(
            f"another model has the number {version.name} there. Give each workspace a folder of "
            f"its own in serving.publish, or delete {place}"
        )
    if there == sizes:
        _clean(bucket)
        return Publication(place, new=False, sent=0)
    unfinished = f"{_UNFINISHED}{version.name}-{wanted[SUMS][:16]}"
    sent = _send(bucket, version, unfinished, wanted)
    # Of another model that was never finished.
    bucket.delete(*(f"{version.name}/{name}" for name in there.keys() - wanted.keys()))
    for name in sorted(wanted, key=lambda name: (name == _LAST, name)):
        bucket.copy(f"{unfinished}/{name}", f"{version.name}/{name}")
    if bucket.sizes(version.name) != sizes:
        raise PlaceError(f"{place} has other files than were copied to it")
    _clean(bucket)
    return Publication(place, new=True, sent=sent)


def _is_listed(bucket: Bucket, version: Path) -> bool:
    """Whether the version that is finished there is this one, by its list of digests."""
    ours = (version / SUMS).read_bytes()
    return bucket.read(len(ours), f"{version.name}/{SUMS}") == ours


def _send(bucket: Bucket, version: Path, unfinished: str, wanted: dict[str, str]) -> int:
    """Sends the files that are not there yet, and returns how many those are."""
    there, sent = bucket.sizes(unfinished), 0
    for name, digest in wanted.items():
        file, at = version / name, f"{unfinished}/{name}"
        if there.get(name) == file.stat().st_size and bucket.digest(at) == digest:
            continue
        bucket.upload(file, at)
        sent += 1
        if bucket.digest(at) != digest:
            raise PlaceError(f"{at} was read back as something else than was sent")
    return sent


def _clean(bucket: Bucket) -> None:
    """Deletes what publications left behind; what cannot be deleted costs room and nothing else."""
    try:
        for name in bucket.children():
            if name.startswith(_UNFINISHED):
                _delete_folder(bucket, name)
    except PlaceError:
        _log.exception("what an unfinished publication left was not deleted")


def _delete_folder(bucket: Bucket, folder: str) -> None:
    names = sorted(bucket.sizes(folder), key=lambda name: (name != _LAST, name))
    bucket.delete(*(f"{folder}/{name}" for name in names))
