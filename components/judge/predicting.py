"""What an exported model answers on a split."""

from itertools import islice

import numpy as np

from components.judge.exported_model import ExportedModel
from components.judge.known_answers import AT_ONCE, KnownAnswers, Question, known_or_asked
from components.judge.prediction_file import Predictions
from models import progress
from models.data.example_reader import read_records
from models.errors import GraftError

_BATCH = 32


def predict_split(
    model: ExportedModel, examples_uri: str, split: str, answers_dir: str = ""
) -> Predictions:
    """Asks the exported model, through its serving signature, for every image of a split.

    Args:
        model: to ask.
        examples_uri: directory of an Examples artifact.
        split: name of the split.
        answers_dir: where it is kept what exports made of images, so that only some of those that
            are known go through this one (`components.judge.known_answers`); empty for all.

    Returns:
        The answers, in the order of the files.

    Raises:
        GraftError: the model has no `serving_default` signature, or answers with what is no
            number.
        OSError: what is kept cannot be written.
    """
    known = KnownAnswers(model, answers_dir)
    answers = known_or_asked(known, lambda each: _asked(each, examples_uri, split))
    broken = ~np.isfinite(answers.probabilities).all(axis=1)
    if broken.any():
        raise GraftError(
            f"The model answers {int(broken.sum())} of {len(answers.names)} images, such as "
            f"{answers.names[int(broken.argmax())]!r}, with what is no number: its training "
            "diverged. Lower training.learning_rate or the range of tuning.learning_rate."
        )
    return answers


def _asked(known: KnownAnswers, examples_uri: str, split: str) -> Predictions:
    records = read_records(examples_uri, split)
    names: list[str] = []
    labels: list[str] = []
    model = known.model
    answers = [np.zeros((0, len(model.classes)), np.float32)]
    while batch := list(islice(records, AT_ONCE if known else _BATCH)):
        if known:
            answers.append(known.ask([Question.about(each.image) for each in batch]).probabilities)
        else:
            answers.append(model.answer([each.image for each in batch]))
        names += [record.name for record in batch]
        labels += [record.label for record in batch]
        progress.report(len(names), None, "images", "judging")
    return Predictions(names, labels, model.classes, np.concatenate(answers))
