"""Histories in words."""

from models.history.collection import Entry, printable
from models.history.records import (
    ForeignSearch,
    Header,
    SearchDescription,
    TaskDescription,
    TrialRecord,
)
from models.history.search_space import Choice, Parameter, Value

_MOST_CHOICES, _FIRST_CHOICES = 12, 5


def task_in_words(task: TaskDescription) -> str:
    """What a search was made on: "2,647 images, 10 classes, EfficientNetLite0 at 160 px"."""
    side = f" at {task.image_size} px" if task.image_size else ""
    return f"{task.images:,} images, {task.classes} classes, {printable(task.backbone)}{side}"


def search_in_words(header: Header) -> str:
    """The task of a search, and what was searched where that is not the head."""
    if header.task is None:
        made = printable(header.search.algorithm), printable(header.search.metric)
        return f"another tuner's ({made[0]}, {made[1]}), for notebooks alone"
    searched = "; fine-tuning" if header.search.subject == "fine_tuning" else ""
    return task_in_words(header.task) + searched


def making_in_words(search: SearchDescription | ForeignSearch) -> str:
    """How the trials were made: "warm, at most 30 epochs, seed 1"."""
    algorithm = printable(search.algorithm)
    if search.subject == "other":
        better = "higher" if search.direction == "max" else "lower"
        return f"{algorithm}; the score is its {printable(search.metric)}, {better} is better"
    return f"{algorithm}, at most {search.epochs} epochs, seed {search.seed}"


def best_accuracy(entry: Entry) -> str:
    """Validation accuracy of the best trial, "0.898", or another tuner's best score."""
    best = entry.history.best
    return accuracy(best) if best else ""


def accuracy(trial: TrialRecord) -> str:
    """Validation accuracy of a trial that has a score: mean over its longest trainings.

    The score itself where another tuner made the trial.
    """
    if not trial.evaluations:
        return f"{trial.score:.3g}"
    longest = trial.evaluations[-1].paused_after
    evaluations = [each for each in trial.evaluations if each.paused_after == longest]
    return f"{sum(each.validation_accuracy for each in evaluations) / len(evaluations):.3f}"


def parameter_in_words(parameter: Parameter) -> str:
    """A range or the choices of a hyperparameter."""
    if isinstance(parameter, Choice):
        return f"{parameter.name} one of {_choices([_value(each) for each in parameter.values])}"
    scale = ", logarithmic" if parameter.scale == "log" else ""
    return f"{parameter.name} from {parameter.low:g} to {parameter.high:g}{scale}"


def _choices(values: list[str]) -> str:
    """All of a few; of many the ends and how many there are."""
    if len(values) <= _MOST_CHOICES:
        return ", ".join(values)
    return f"{', '.join(values[:_FIRST_CHOICES])}, …, {values[-1]} ({len(values)} values)"


def values_in_words(values: dict[str, Value]) -> str:
    """The hyperparameters of a trial: "learning_rate 0.0031, batch_size 32"."""
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items())


def _value(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else printable(str(value))
