"""What to do about a served model."""

from dataclasses import dataclass
from typing import Final, Literal

from monitoring.accuracy.report import AccuracyReport
from monitoring.evidence.drift_report import DriftReport

Action = Literal["retrain", "page", "nothing"]
HealthName = Literal["healthy", "drift", "harmful", "data fault", "too little data"]
_LEAST_IMAGES: Final = 50


@dataclass(frozen=True)
class Decision:
    """What to do, and why.

    Attributes:
        action: retrain, have somebody look, or nothing.
        health: how the model is.
        reason: one sentence.
        evidence: what speaks for it, in words.
        train_on: what data to train on; empty without a retraining.
        episode: which trouble it is about; the same word as long as that lasts.
    """

    action: Action
    health: HealthName
    reason: str
    evidence: tuple[str, ...] = ()
    train_on: str = ""
    episode: str = ""


def decide(drift: DriftReport, accuracy: AccuracyReport) -> Decision:
    """Decides from what moved and from how many answers are right."""
    moved = tuple(each.direction for each in drift.signals if each.alarm)
    if drift.images < _LEAST_IMAGES:
        return Decision("nothing", "too little data", f"Only {drift.images} images were seen.")
    if not drift.alarm:
        return Decision("nothing", "healthy", "The images are what they were.")
    if accuracy.high >= accuracy.reference_interval[0]:
        return Decision("nothing", "drift", "The images changed, the accuracy did not.", moved)
    return Decision(
        "retrain",
        "harmful",
        "The images changed, and fewer answers are right.",
        moved,
        "The labelled requests beside the data.",
        f"{drift.alarms}",
    )
