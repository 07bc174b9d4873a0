"""A history of a search for the settings of fine-tuning, made up for tests."""

from histories import task

from models.head.selection_score import METRIC
from models.history.records import Curve, Evaluation, SearchDescription, TrialRecord
from models.history.search_space import Choice, FloatRange, SearchSpace
from models.history.tuning_history import TuningHistory, new_history

SPACE = SearchSpace(
    parameters=(
        FloatRange(name="training.learning_rate", low=3e-5, high=3e-3, scale="log"),
        Choice(name="training.unfreeze", values=(0.25, 0.5, 0.75)),
        Choice(name="training.augment", values=("off", "on")),
    )
)
RATES = (3e-4, 1e-3, 5e-4, 1e-4, 2e-3, 2e-4)


def evaluation(score: float, paused_after: int | None) -> Evaluation:
    curve = Curve(train_loss=(1.0,), validation_loss=(0.0,), validation_accuracy=(score,))
    return Evaluation(
        seed=0,
        score=score,
        best_epoch=0,
        validation_loss=0.0,
        validation_accuracy=score,
        seconds=30.0,
        curve=curve,
        paused_after=paused_after,
    )


def trial(order: int, first: float, whole: float | None = None) -> TrialRecord:
    evaluations = [evaluation(first, 2)]
    if whole is not None:
        evaluations.append(evaluation(whole, None))
    return TrialRecord(
        order=order,
        status="completed",
        values=dict(
            zip([each.name for each in SPACE.parameters], (RATES[order], 0.5, "on"), strict=True)
        ),
        score=first,
        evaluations=tuple(evaluations),
        seconds=30.0 * len(evaluations),
    )


def fine_tuning_history(chosen: int) -> TuningHistory:
    """Three of six trials were trained to the end, the configured settings among them."""
    trials = (
        trial(0, 0.7, 0.8),
        trial(1, 0.5),
        trial(2, 0.75, 0.8765),
        trial(3, 0.6),
        trial(4, 0.2),
        trial(5, 0.72, 0.81),
    )
    search = SearchDescription(
        algorithm="warm",
        seed=0,
        epochs=6,
        patience=3,
        class_weights="balanced",
        metric=METRIC,
        subject="fine_tuning",
    )
    return new_history(SPACE, task("made up"), search, trials, chosen=chosen, name="made up")
