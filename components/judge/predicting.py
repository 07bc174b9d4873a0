"""What an exported model answers on a split."""

from itertools import islice

import numpy as np

from components.exported_models.exported_model import ExportedModel
from components.exported_models.known_answers import AT_ONCE, KnownAnswers, Question, known_or_asked
from components.judge.prediction_file import Predictions
from models import progress
from models.data import example_schema
from models.data.example_reader import derived_features, read_records
from models.errors import GraftError

_BATCH = 32


class AskedModels:
    """What models answer to the test images of Examples, each loaded and asked once."""

    def __init__(self, answers_dir: str = "") -> None:
        """Takes the place for what is kept; see `predict_columns`."""
        self._answers_dir = answers_dir
        self._models: dict[str, ExportedModel] = {}
        self._asked: dict[tuple[str, str], dict[str, Predictions]] = {}

    def model(self, uri: str) -> ExportedModel:
        """The model of a Model artifact, by its directory."""
        return self._models.setdefault(uri, ExportedModel(uri))

    def of(self, model_uri: str, examples_uri: str) -> dict[str, Predictions]:
        """Answers by column, as `predict_columns` gives and raises them.

        Args:
            model_uri: directory of a Model artifact.
            examples_uri: directory of an Examples artifact.
        """
        key = model_uri, examples_uri
        if key not in self._asked:
            model = self.model(model_uri)
            self._asked[key] = predict_columns(
                model, examples_uri, example_schema.TEST, self._answers_dir
            )
        return self._asked[key]


def predict_split(model: ExportedModel, examples_uri: str, split: str) -> Predictions:
    """What `predict_columns` gives of the class."""
    return predict_columns(model, examples_uri, split)[example_schema.LABEL]


def predict_columns(
    model: ExportedModel, examples_uri: str, split: str, answers_dir: str = ""
) -> dict[str, Predictions]:
    """Asks the exported model, through its serving signature, for every image of a split.

    Args:
        model: to ask.
        examples_uri: directory of an Examples artifact.
        split: name of the split.
        answers_dir: where it is kept what exports made of images, so that only some of those that
            are known go through this one (`components.exported_models.known_answers`); empty for
            all.

    Returns:
        The answers, in the order of the files: as `example_schema.LABEL` the class of all images,
        and under the name of each further label column that of those that have a label there.

    Raises:
        GraftError: the model has no `serving_default` signature, or answers with what is no
            number.
        OSError: what is kept cannot be written.
    """
    known = KnownAnswers(model, answers_dir)
    answers = known_or_asked(known, lambda each: _asked(each, examples_uri, split))
    for each in answers.values():
        broken = ~np.isfinite(each.probabilities).all(axis=1)
        if broken.any():
            raise GraftError(
                f"The model answers {int(broken.sum())} of {len(each.names)} images, such as "
                f"{each.names[int(broken.argmax())]!r}, with what is no number: its training "
                "diverged. Lower training.learning_rate or the range of tuning.learning_rate."
            )
    return answers


def _asked(known: KnownAnswers, examples_uri: str, split: str) -> dict[str, Predictions]:
    records = read_records(examples_uri, split)
    names: list[str] = []
    labels: list[str] = []
    model = known.model
    parts = [model.answer_all([])]
    while batch := list(islice(records, AT_ONCE if known else _BATCH)):
        if known:
            told = known.ask([Question.about(each.image) for each in batch])
            parts.append((told.probabilities, *told.further))
        else:
            parts.append(model.answer_all([each.image for each in batch]))
        names += [record.name for record in batch]
        labels += [record.label for record in batch]
        progress.report(len(names), None, "images", "judging")
    answers, *further = map(np.concatenate, zip(*parts, strict=True))
    asked = {example_schema.LABEL: Predictions(names, labels, model.classes, answers)}
    if further:
        features = {column: example_schema.slice_feature(column) for column in model.further}
        told_of = derived_features(examples_uri, split, features.values())
        for (column, classes), probabilities in zip(model.further.items(), further, strict=True):
            own = told_of[features[column]]
            every = Predictions(names, own.tolist(), classes, probabilities)
            asked[column] = every.where(own != "")
    return asked
