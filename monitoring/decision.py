"""What to do: train again, call a person, or nothing; and why.

A fault of what is sent is for a person: training on it would teach the fault. A model is trained
again where its accuracy has fallen, once for each episode, not before a cooldown is over, and not
after trainings that did not help.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Annotated, Final, Literal

from pydantic import Field

from models.settings import Section
from monitoring.accuracy.report import AccuracyReport
from monitoring.data_faults import DataFault
from monitoring.evidence.drift_report import DriftReport

Action = Literal["retrain", "page", "nothing"]
Health = Literal["healthy", "drift", "harmful", "data fault", "too little data"]
_SHOWN: Final = 3
_DOUBT: Final = 0.45
"""Part of an interval, from the estimate to its end, that has to speak for a training too."""
_OF_INTERVAL: Final = 1.96
"""Standard errors from an estimate to the end of its interval."""


class DecisionSettings(Section):
    """When to act."""

    harm: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.05
    """Loss of accuracy that is worth a training."""
    cooldown: Annotated[float, Field(ge=0.0)] = 86_400.0
    """Seconds from one training to the next, at least."""
    tries: Annotated[int, Field(ge=1)] = 2
    """Trainings that did not help, after which a person is called."""
    least: Annotated[int, Field(ge=1)] = 50
    """Images below which nothing is said."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was done before.

    Attributes:
        episode: when the present alarm or loss began, seconds since 1970; None without one.
        trained: when the last training was begun.
        trained_episode: the episode that it was begun in.
        unhelpful: trainings in a row after which the model was no better.
        vain: how the last training ended, where it came to no new version; else empty.
    """

    episode: float | None = None
    trained: float | None = None
    trained_episode: float | None = None
    unhelpful: int = 0
    vain: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do.

    Attributes:
        action: "retrain", "page" (call a person) or "nothing".
        health: how the model and its data are.
        reason: one sentence.
        evidence: what speaks for it, in words.
        train_on: what data a training should have; empty for other actions.
        past: what the next decision has to know.
    """

    action: Action
    health: Health
    reason: str
    evidence: tuple[str, ...] = ()
    train_on: str = ""
    past: Past = field(default_factory=Past)


def decide(
    drift: DriftReport,
    accuracy: AccuracyReport,
    faults: tuple[DataFault, ...],
    now: float,
    past: Past | None = None,
    settings: DecisionSettings | None = None,
) -> Decision:
    """Decides.

    Args:
        drift: what moved.
        accuracy: of the images since then.
        faults: of what is sent.
        now: seconds since 1970.
        past: what was done before; nothing if left out.
        settings: the usual ones if left out.
    """
    settings, past = settings or DecisionSettings(), past or Past()
    evidence = _evidence(drift, accuracy, faults)
    if faults:
        reason = f"What is sent is at fault: {faults[0].reason}."
        return Decision("page", "data fault", reason, evidence, past=past)
    harm = _harm(drift, accuracy, settings)
    if harm == "yes":
        began = replace(past, episode=now if past.episode is None else past.episode)
        return _retrain_or_page(accuracy, evidence, now, began, settings)
    if not drift.alarm and drift.images < settings.least and accuracy.labelled is None:
        reason = f"{drift.images} images are too few to say; {settings.least} are needed."
        return Decision("nothing", "too little data", reason, evidence, past=past)
    if not drift.alarm:
        return Decision(
            "nothing",
            "healthy",
            "Nothing has moved.",
            evidence,
            past=replace(past, episode=None, unhelpful=0),
        )
    if harm == "too early":
        reason = f"The images have moved; since then, {accuracy.why} to say whether it does harm."
        return Decision("nothing", "drift", reason, evidence, past=past)
    if harm == "unknown":
        reason = (
            "The images have moved, and what the model is worth on them cannot be told without "
            "labels: label some (graft labels --suggest)."
        )
        return Decision("page", "drift", reason, evidence, past=past)
    reason = (
        "The images have moved, but the model is about as right as before. If they are to stay so,"
        " label some (graft labels --suggest) and add them to the data: the next version is then "
        "held against such images too."
    )
    return Decision(
        "nothing", "drift", reason, evidence, past=replace(past, episode=None, unhelpful=0)
    )


def after_training(decision: Decision, now: float) -> Past:
    """What to remember when a training was begun on a decision.

    Args:
        decision: that said "retrain".
        now: seconds since 1970.
    """
    past = decision.past
    return replace(past, trained=now, trained_episode=past.episode, unhelpful=past.unhelpful + 1)


def after_push(past: Past) -> Past:
    """What to remember when another version is served: what comes is an episode of its own."""
    return replace(past, episode=None, trained_episode=None)


def _retrain_or_page(
    accuracy: AccuracyReport,
    evidence: tuple[str, ...],
    now: float,
    past: Past,
    settings: DecisionSettings,
) -> Decision:
    loss = _loss(accuracy)
    said = f"The model has lost about {100 * loss:.0f} points of accuracy"

    def decision(action: Action, reason: str, train_on: str = "") -> Decision:
        return Decision(action, "harmful", f"{said}{reason}", evidence, train_on, past)

    if past.unhelpful >= settings.tries:
        return decision(
            "page", f", and {past.unhelpful} trainings did not help: look at data and labels."
        )
    if past.trained_episode is not None and past.trained_episode == past.episode:
        if past.vain:
            return decision(
                "page", f"; a training for this came to no new version: {past.vain}. Mend that."
            )
        return decision("nothing", "; a training for this was begun already.")
    # Of a training that lies further ahead the clock was wrong.
    if past.trained is not None and abs(now - past.trained) < settings.cooldown:
        left = (settings.cooldown - (now - past.trained)) / 3600
        return decision("nothing", f"; the next training may begin in {left:.1f} hours.")
    return decision("retrain", ".", _train_on(accuracy))


def _harm(
    drift: DriftReport, accuracy: AccuracyReport, settings: DecisionSettings
) -> Literal["yes", "no", "too early", "unknown"]:
    """Whether the accuracy has fallen by more than is borne; labels go before what is foretold.

    A model may go wrong while its images stay as they were: labels show it without an alarm.
    What further images are going to tell is no reason to call a person: they are waited for.
    """
    bearable = accuracy.reference - settings.harm
    labelled = accuracy.labelled
    if labelled is not None and labelled.high < bearable:
        return "yes"
    if labelled is not None and labelled.low > bearable:
        return "no"
    if not drift.alarm:
        return "no"
    if accuracy.estimate is None:
        return "too early"
    if accuracy.estimate + _DOUBT * (accuracy.high - accuracy.estimate) < bearable:
        return "yes"
    least = _least_with_more_images(accuracy, accuracy.estimate)
    return "no" if accuracy.reliable or least > bearable - settings.harm / 2 else "unknown"


def _least_with_more_images(accuracy: AccuracyReport, estimate: float) -> float:
    """What the accuracy may be at least, by what is known, once chance has had its good turn."""
    by_chance = math.sqrt(estimate * (1.0 - estimate) / accuracy.images)
    error = (estimate - accuracy.low) / _OF_INTERVAL
    lasting = math.sqrt(max(error**2 - by_chance**2, 0.0))
    return estimate + by_chance - lasting


def _loss(accuracy: AccuracyReport) -> float:
    labelled = accuracy.labelled
    if labelled is not None and (accuracy.estimate is None or labelled.high < accuracy.estimate):
        return accuracy.reference - labelled.value
    return accuracy.reference - (accuracy.estimate or 0.0)


def _train_on(accuracy: AccuracyReport) -> str:
    if accuracy.labelled is None:
        return (
            "the training images and new ones: label those that `graft labels --suggest` lists, "
            "and add its manifest to the data"
        )
    return f"the training images and the {accuracy.labelled.images} images that labels came for"


def _evidence(
    drift: DriftReport, accuracy: AccuracyReport, faults: tuple[DataFault, ...]
) -> tuple[str, ...]:
    words = [fault.reason for fault in faults]
    moved = [signal for signal in drift.signals if signal.alarm]
    words += [f"{signal.name}: {signal.direction}" for signal in moved[:_SHOWN]]
    if accuracy.estimate is not None:
        words.append(
            f"accuracy foretold without labels: {accuracy.estimate:.3f} ({accuracy.low:.3f} to "
            f"{accuracy.high:.3f}), before {accuracy.reference:.3f}; {accuracy.why}"
        )
    labelled = accuracy.labelled
    if labelled is not None:
        words.append(
            f"accuracy on {labelled.images} labelled images: {labelled.value:.3f} "
            f"({labelled.low:.3f} to {labelled.high:.3f})"
        )
    fallen = [part for part in (*accuracy.by_class, *accuracy.by_slice) if part.fell]
    words += [
        f"{part.name}: {part.reference:.3f} before, {part.estimate:.3f} now"
        for part in fallen[:_SHOWN]
    ]
    return tuple(words)
