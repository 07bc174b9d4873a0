"""The last blessed model and the one that is judged, asked about the same images.

The comparison is fair: an image counts only where neither model learned or was chosen by it, and
only the classes that both know are told apart. The test images of the earlier model count too,
also those that have left the data since: what it could do is not to be lost for what is new.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.class_changes import ClassChange, changes_between, exchanged, renamed
from components.image_register import Digest, read_register
from components.judge.predicting import AskedModels
from components.judge.prediction_file import Predictions
from models.data import example_schema
from models.data.example_reader import derived_features

_LEARNED = (example_schema.TRAIN, example_schema.VALIDATION)


@dataclass(frozen=True)
class Baseline:
    """The last blessed model.

    Attributes:
        model_uri: directory of the Model artifact.
        examples_uri: directory of the Examples that it was trained on; None where they are gone.
    """

    model_uri: str
    examples_uri: str | None


@dataclass(frozen=True)
class AsServed:
    """Right and wrong answers of both models among all their classes.

    Attributes:
        labels: true class of each image, one that the last blessed model knew, n of them.
        before: whether the last blessed model answers it rightly, bool [n].
        after: whether the model that is judged does, bool [n].
        given_up: classes whose images were taken out, as they are not meant to be known any more.
    """

    labels: list[str]
    before: NDArray[np.bool_]
    after: NDArray[np.bool_]
    given_up: tuple[str, ...] = ()


@dataclass(frozen=True)
class PairedAnswers:
    """Answers to the images and the classes that can be compared.

    Attributes:
        old: of the last blessed model.
        new: of the model that is judged, to the same images in the same order.
        was_test: whether each image was a test image of the last blessed model, bool [n].
        left_out: images of the test split that the last blessed model had learned.
        changes: how the classes of the model that is judged differ from those before.
        served: of the same images and those of classes that only the last blessed model knew, each
            model asked among all its classes.
        new_classes: of the model that is judged.
    """

    old: Predictions
    new: Predictions
    was_test: NDArray[np.bool_]
    left_out: int
    changes: tuple[ClassChange, ...]
    served: AsServed
    new_classes: tuple[str, ...]


def paired_answers(
    predictions: Predictions,
    digests: Sequence[str],
    model_uri: str,
    examples_uri: str,
    baseline: Baseline,
    asked: AskedModels,
    column: str = example_schema.LABEL,
) -> PairedAnswers:
    """Asks the last blessed model, and the one that is judged where it was not asked yet.

    Args:
        predictions: of the model that is judged, on the images of its test split that have a label
            in the column.
        digests: of the same images, as ingest took them.
        model_uri: directory of the Model artifact that is judged.
        examples_uri: directory of its Examples artifact.
        baseline: the last blessed model.
        asked: what was asked before.
        column: that the answers are about, and that both models answer.

    Raises:
        GraftError: a model lacks its serving signature or its class names.
    """
    mine = read_register(Path(examples_uri))
    theirs = read_register(Path(baseline.examples_uri)) if baseline.examples_uri else None
    learned = theirs.in_splits(*_LEARNED) if theirs else frozenset[Digest]()
    tested = theirs.in_splits(example_schema.TEST) if theirs else frozenset[Digest]()
    old = asked.of(baseline.model_uri, examples_uri)[column]
    # A register knows what became of classes, not of labels in further columns.
    registers = (theirs, mine) if column == example_schema.LABEL else (None, None)
    changes = changes_between(old.classes, predictions.classes, *registers)
    names = renamed(changes) | exchanged(changes)
    fair = _rows(digests, learned, among=False)
    pairs = [(old.where(fair), predictions.where(fair), _rows(digests, tested)[fair])]
    gone = tested - mine.in_splits(*example_schema.SPLITS) if mine else frozenset[Digest]()
    if gone and baseline.examples_uri:
        models = baseline.model_uri, model_uri
        before, after = (
            replace(each, labels=_now(each.labels, names))
            for each in _answers_to(gone, baseline.examples_uri, models, asked, column)
        )
        pairs.append((before, after, np.ones(len(before.names), bool)))
    joined_old = _joined([each[0] for each in pairs])
    joined_old = replace(joined_old, classes=tuple(_now(old.classes, names)))
    joined_new = _joined([each[1] for each in pairs])
    classes = [label for label in joined_new.classes if label in joined_old.classes]
    rows = np.array([label in classes for label in joined_new.labels], bool)
    return PairedAnswers(
        old=_told_apart(joined_old, rows, classes),
        new=_told_apart(joined_new, rows, classes),
        was_test=np.concatenate([each[2] for each in pairs])[rows],
        left_out=int((~fair).sum()),
        changes=changes,
        served=_as_served(joined_old, joined_new),
        new_classes=joined_new.classes,
    )


def _as_served(old: Predictions, new: Predictions) -> AsServed:
    rows = old.truth >= 0
    labels = [label for label, known in zip(old.labels, rows, strict=True) if known]
    return AsServed(labels, old.right[rows], new.right[rows])


def _answers_to(
    images: frozenset[Digest],
    examples_uri: str,
    model_uris: tuple[str, str],
    asked: AskedModels,
    column: str,
) -> tuple[Predictions, Predictions]:
    """What two models answer to some of the test images of an Examples artifact."""
    old, new = (asked.of(uri, examples_uri)[column] for uri in model_uris)
    rows = _rows(digests_of(examples_uri, old.names), images)
    return old.where(rows), new.where(rows)


def digests_of(examples_uri: str, names: Sequence[str]) -> list[str]:
    """Digests of test images, as ingest took them.

    Args:
        examples_uri: directory of an Examples artifact.
        names: of the images.
    """
    columns = derived_features(examples_uri, example_schema.TEST)
    found = (columns[key].tolist() for key in (example_schema.NAME, example_schema.SHA256))
    digest = dict(zip(*found, strict=True))
    return [digest[name] for name in names]


def _rows(
    digests: Sequence[str], of: frozenset[Digest], *, among: bool = True
) -> NDArray[np.bool_]:
    """Which images are among those of a set or, without `among`, are not."""
    if not of:
        return np.full(len(digests), not among)
    return np.array([(bytes.fromhex(each) in of) == among for each in digests], bool)


def _now(labels: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """What classes are called now."""
    return [names.get(label, label) for label in labels]


def _joined(parts: Sequence[Predictions]) -> Predictions:
    """All parts as one; they are of one model."""
    return Predictions(
        [name for part in parts for name in part.names],
        [label for part in parts for label in part.labels],
        parts[0].classes,
        np.concatenate([part.probabilities for part in parts]),
    )


def _told_apart(
    predictions: Predictions, rows: NDArray[np.bool_], classes: Sequence[str]
) -> Predictions:
    """The answers to some images, between some classes alone."""
    some = predictions.where(rows)
    columns = [predictions.classes.index(label) for label in classes]
    return Predictions(some.names, some.labels, tuple(classes), some.probabilities[:, columns])
