"""Histories made up for tests."""

from collections.abc import Sequence
from pathlib import Path

from models.history.records import (
    Curve,
    EmbeddingStatistics,
    Evaluation,
    SearchDescription,
    Subject,
    TaskDescription,
    TrialRecord,
)
from models.history.search_space import FloatRange, SearchSpace
from models.history.tuning_history import TuningHistory, history_bytes, new_history

SPACE = SearchSpace(parameters=(FloatRange(name="rate", low=1e-4, high=1e-1, scale="log"),))
STATISTICS = EmbeddingStatistics(
    total_variance=12.5, effective_dimension=33.0, class_separation=0.2, centroid_accuracy=0.7
)


def task(fingerprint: str, images: int = 100, classes: int = 3) -> TaskDescription:
    return TaskDescription(
        images=images,
        validation_images=20,
        classes=classes,
        balance=0.98,
        image_size=224,
        backbone="EfficientNetLite0",
        weights="imagenet",
        weights_digest="ab" * 32,
        dimension=1280,
        embedding=STATISTICS,
        data_fingerprint=fingerprint,
    )


def record(order: int, rate: float, score: float | None) -> TrialRecord:
    if score is None:
        return TrialRecord(order=order, status="failed", values={"rate": rate}, seconds=0.1)
    curve = Curve(train_loss=(1.0,), validation_loss=(1.0,), validation_accuracy=(0.5,))
    evaluation = Evaluation(
        seed=0,
        score=score,
        best_epoch=0,
        validation_loss=1.0,
        validation_accuracy=0.5,
        seconds=0.1,
        curve=curve,
    )
    return TrialRecord(
        order=order,
        status="completed",
        values={"rate": rate},
        score=score,
        evaluations=(evaluation,),
        seconds=0.1,
    )


def history(
    of: TaskDescription,
    scores: Sequence[float | None] = (0.5, 0.7),
    *,
    name: str = "photos",
    created: str = "2026-11-21T10:00:00+00:00",
    seed: int = 0,
    rates: Sequence[float] = (),
    subject: Subject = "joint",
) -> TuningHistory:
    search = SearchDescription(
        algorithm="bayesian",
        seed=seed,
        epochs=30,
        patience=5,
        class_weights="balanced",
        metric="accuracy",
        subject=subject,
    )
    tried = rates or [1e-3] * len(scores)
    trials = tuple(
        record(order, rate, score)
        for order, (rate, score) in enumerate(zip(tried, scores, strict=True))
    )
    made = new_history(SPACE, of, search, trials, name=name)
    header = made.header.model_copy(update={"created": created})
    return TuningHistory(header, trials)


def write(path: Path, content: TuningHistory | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else history_bytes(content))
    return path
