"""`graft labels`: labels that come later, and which images are most worth one."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from models.errors import GraftError, UsageError
from models.observation.kept_images import kept_image, kept_image_path
from monitoring.accuracy.foretelling import Foreteller
from monitoring.accuracy.label_files import Key, read_label_file
from monitoring.accuracy.suggestions import suggest, write_suggestions
from monitoring.accuracy.window import Window
from monitoring.label_inbox import LabelInbox
from monitoring.log_reader import LogReader
from monitoring.observations import Observations
from pipeline.needed.labelled_requests import Labelled, keep
from pipeline.watch.watched import Watched

SUGGESTED: Final = "to-label.csv"
_MOST: Final = 5_000
"""Newest images among which the worthiest are looked for."""
_SHOWN: Final = 10
_FEW: Final = 5


def take_labels(watched: Watched, file: Path) -> int:
    """Reads labels, leaves them for the monitor, and keeps the images that they are of.

    Args:
        watched: model, log and folder.
        file: of labels.

    Raises:
        BadDataError: the file cannot be understood.
        UsageError: there is no log.
        GraftError: the folder cannot be written.
    """
    reference = watched.reference(watched.version())
    classes = reference.classes if reference else ()
    said = read_label_file(file, classes)
    found = dict(_named(watched, said.labels))
    images = ((digest, kept_image(watched.log, digest), name) for digest, name in found.items())
    whole = [Labelled(digest, image, name) for digest, image, name in images if image is not None]
    try:
        LabelInbox(watched.folder).put(said.labels)
        if whole:
            keep(watched.labelled, whole)
    except OSError as error:
        raise GraftError(f"{error.filename} cannot be written: {error.strerror}.") from None
    print(f"{len(said.labels):,} labels; {len(found):,} are of images in the request log.")
    foreign = Counter(name for name in said.labels.values() if name not in classes)
    if classes and foreign:
        names = ", ".join(repr(name) for name, _ in foreign.most_common(_FEW))
        print(
            f"{foreign.total():,} are of classes that the model does not know, and count as wrong "
            f"answers: {names}{', …' if len(foreign) > _FEW else ''}."
        )
    if said.left_out:
        print(f"{said.left_out:,} rows were left out: {'; '.join(said.problems)}.")
    if whole:
        print(f"{len(whole):,} of these images were kept: the next retraining learns from them.")
    elif found:
        print("None of these images was kept (monitoring.keep_images), so none can be learned.")
    print("`graft monitor` says what they tell of the accuracy.")
    return 0


def print_suggestions(watched: Watched, count: int, output: Path | None) -> int:
    """Lists the images most worth a label, and writes them as a manifest to fill in.

    Args:
        watched: model, log and folder.
        count: how many.
        output: CSV file; None for the usual one in the monitor's folder.

    Raises:
        UsageError: there is no log, no reference, or no image.
        GraftError: the file cannot be written.
    """
    version = watched.version()
    reference = watched.reference(version)
    if reference is None:
        raise UsageError(f"Version {version} has no monitoring reference: graft run makes one.")
    newest = Window(_MOST)
    for observations in _answers(watched, version):
        newest.add(observations)
    if newest.images is None:
        raise UsageError(f"Version {version} has answered no image yet that was logged.")
    chosen = suggest(reference, Foreteller(reference), newest.images, count)
    file = output or watched.folder / SUGGESTED
    try:
        write_suggestions(file, chosen, lambda digest: _kept(watched.log, digest))
        LabelInbox(watched.folder).note_chosen(each.digest for each in chosen)
    except OSError as error:
        raise GraftError(f"{file} cannot be written: {error.strerror}.") from None
    for each in chosen[:_SHOWN]:
        print(f"  {each.digest[:12]}  {each.chance:5.0%} right  {each.why:<22} {each.answered}")
    print(
        f"{len(chosen)} images to label: {file}. Fill in its column label; `graft labels` reads it."
    )
    return 0


def _named(watched: Watched, labels: Mapping[Key, str]) -> Iterator[tuple[str, str]]:
    """Digest and label of each logged image that a label is of."""
    for observations in _answers(watched, None):
        names = zip(
            observations.digests.tolist(),
            observations.request_ids.tolist(),
            observations.rows.tolist(),
            strict=True,
        )
        for digest, request, row in names:
            name = labels.get((digest, -1), labels.get((request, row)))
            if name is not None:
                yield digest, name


def _answers(watched: Watched, version: int | None) -> Iterator[Observations]:
    for answers in LogReader(watched.log).read_on():
        for each in answers:
            if each.version.model == watched.name and version in (None, each.version.version):
                yield each.observations


def _kept(log: Path, digest: str) -> Path | None:
    path = kept_image_path(log, digest)
    return path.absolute() if path.is_file() else None
