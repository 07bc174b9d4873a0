"""`graft labels`: labels that come later, and which images are most worth one."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Final

from models.errors import BadDataError, GraftError, UsageError
from models.observation.kept_images import kept_image, kept_image_path
from models.wording import begun_list
from monitoring.accuracy.foretelling import Foreteller
from monitoring.accuracy.label_files import Key, LabelFile, read_label_file
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
    logged = list(_named(watched, said.labels))
    found = {digest: name for digest, name, _ in logged}
    images = ((digest, kept_image(watched.log, digest), name) for digest, name in found.items())
    whole = [Labelled(digest, image, name) for digest, image, name in images if image is not None]
    try:
        LabelInbox(watched.folder).put(said.labels)
        if whole:
            keep(watched.labelled, whole)
    except OSError as error:
        where = error.filename or watched.folder
        raise GraftError(f"{where} cannot be written: {error.strerror or error}.") from None
    _tell(file, said, len(found), {key for *_, key in logged})
    if classes:
        _tell_foreign(said.labels, classes)
    if whole:
        print(f"{len(whole):,} of these images were kept: the next retraining learns from them.")
    elif found:
        print("None of these images was kept (monitoring.keep_images), so none can be learned.")
    print("`graft monitor` says what they tell of the accuracy.")
    return 0


def _tell(file: Path, said: LabelFile, images: int, met: Set[Key]) -> None:
    """Says what the labels are of, and what is odd about them."""
    if not said.labels:
        print(f"No row of {file} has a label: fill in its column label.")
        return
    print(f"{len(said.labels):,} labels; {images:,} are of images in the request log.")
    if waiting := said.labels.keys() - met:
        print(
            f"{len(waiting):,} wait for an image that is not in the log: look whether these are "
            f"its ids, {_some(sorted({key for key, _ in waiting}))}."
        )
    if said.contradicted:
        ids = _some(sorted({key for key, _ in said.contradicted}))
        print(
            f"{len(said.contradicted):,} have two rows that say different labels, of which the "
            f"later counts: {ids}."
        )
        if any(row >= 0 for _, row in said.contradicted):
            print("Of a request with several images each row needs its number (row, from 0).")
    if said.left_out:
        print(f"{said.left_out:,} rows were left out: {'; '.join(said.problems)}.")


def _tell_foreign(labels: Mapping[Key, str], classes: Sequence[str]) -> None:
    """Says which labels are no class of the model, and what comes of that."""
    foreign = Counter(name for name in labels.values() if name not in classes)
    if not foreign:
        return
    names = [name for name, _ in foreign.most_common()]
    print(
        f"{foreign.total():,} are of classes that the model does not know, and count as wrong "
        f"answers: {_some(names)}. The classes are {_some(classes)}. Where one is "
        "misspelt, give its image's right label before the next run, which stops at a new class "
        "until `graft schema accept`."
    )


def _some(names: Sequence[str]) -> str:
    return begun_list(list(map(repr, names)), _FEW)


def print_suggestions(watched: Watched, count: int, output: Path | None) -> int:
    """Lists the images most worth a label, and writes them as a manifest to fill in.

    Args:
        watched: model, log and folder.
        count: how many.
        output: CSV file; None for the usual one in the monitor's folder.

    Raises:
        UsageError: `count` is 0, there is no log, no reference, or no image, or the file is there
            already with labels in it, or is none of these lists.
        GraftError: the file cannot be written.
    """
    if not count:
        raise UsageError("--suggest: expected how many images to list, at least 1; got 0.")
    file = output or watched.folder / SUGGESTED
    _require_unlabelled(file)
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
    try:
        write_suggestions(file, chosen, lambda digest: _kept(watched.log, digest))
        LabelInbox(watched.folder).note_chosen(each.digest for each in chosen)
    except OSError as error:
        where = error.filename or file
        raise GraftError(f"{where} cannot be written: {error.strerror}.") from None
    for each in chosen[:_SHOWN]:
        print(f"  {each.digest[:12]}  {each.chance:5.0%} right  {each.why:<22} {each.answered}")
    print(
        f"{len(chosen)} images to label: {file}. Fill in its column label; `graft labels` reads it."
    )
    return 0


def _require_unlabelled(file: Path) -> None:
    """Nothing that somebody wrote is written over."""
    try:
        filled = len(read_label_file(file).labels) if file.exists() else 0
    except BadDataError:
        raise UsageError(
            f"{file} is there already, and is no list of images to label: name another with "
            "--output FILE."
        ) from None
    if filled:
        raise UsageError(
            f"{file} is there already, with {filled:,} labels: once "
            f"`graft labels {shlex.quote(str(file))}` has "
            "taken them, move it away, or name another with --output FILE."
        )


def _named(watched: Watched, labels: Mapping[Key, str]) -> Iterator[tuple[str, str, Key]]:
    """Digest and label of each logged image that a label is of, and what the label calls it."""
    for observations in _answers(watched, None):
        names = zip(
            observations.digests.tolist(),
            observations.request_ids.tolist(),
            observations.rows.tolist(),
            strict=True,
        )
        for digest, request, row in names:
            # The monitor, too, has a label of the image count before one of the request.
            for key in ((request, row), (digest, -1)):
                if key in labels:
                    yield digest, labels[key], key


def _answers(watched: Watched, version: int | None) -> Iterator[Observations]:
    for answers in LogReader(watched.log).read_on():
        for each in answers:
            if each.version.model == watched.name and version in (None, each.version.version):
                yield each.observations


def _kept(log: Path, digest: str) -> Path | None:
    path = kept_image_path(log, digest)
    return path.absolute() if path.is_file() else None
