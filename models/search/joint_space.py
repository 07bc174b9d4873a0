"""The configurations that a search chooses from: backbone, how much of it is trained, and how.

A hyperparameter has the name of its key in the configuration. A frozen backbone under a linear head
is one end of the space: nothing is unfrozen there, so that it has no rate and does not augment.
"""

from collections.abc import Mapping
from itertools import product
from typing import Any, Final

from models.backbone_choice.backbone_choice import Candidate
from models.history.search_space import Choice, FloatRange, SearchSpace, Values
from models.search.search_task import SearchTask
from models.training.training_settings import TrainingSettings, choose_strategy

BACKBONE: Final = "model.backbone"
WEIGHTS: Final = "model.weights"
SIZE: Final = "model.image_size"
UNFREEZE: Final = "training.unfreeze"
LEARNING_RATE: Final = "training.learning_rate"
AUGMENT: Final = "training.augment"
MOST_EPOCHS: Final = "training.epochs"
"""Not searched: it says how long what was chosen may be trained, where that is bounded."""
ON, OFF = "on", "off"
"""Values of `AUGMENT`."""

RELATIVE_SIZE: Final = "relative_size"
"""Image size over the largest of the task: 96 px are to 64 what 224 are to 160."""
_SHARES: Final = (0.25, 0.5, 0.75)
"""Of the backbone's weighted layers that are trained, beside the configured share."""
_RATES: Final = (1 / 3, 1.0, 3.0)
"""Multiples of the configured learning rate."""


def configurations(task: SearchTask, images: int) -> list[Values]:
    """All configurations; the first is the usual one.

    Args:
        task: that is searched on.
        images: to train on.
    """
    settings = task.training
    frozen = [frozen_backbone(each) for each in task.candidates]
    shares = sorted({settings.unfreeze, *_SHARES})
    unfrozen = [
        _fine_tuned(candidate, share, settings.learning_rate * factor, augment)
        for candidate, share, factor, augment in product(task.candidates, shares, _RATES, (ON, OFF))
    ]
    usual = choose_strategy(settings, images).name
    first = usual_fine_tuning(task) if usual == "fine_tune" else frozen[0]
    every = [first]
    every += frozen if settings.strategy != "fine_tune" else []
    every += unfrozen if settings.strategy != "feature_extraction" else []
    return [each for place, each in enumerate(every) if each not in every[:place]]


def usual_fine_tuning(task: SearchTask, candidate: Candidate | None = None) -> Values:
    """A candidate, by default the first, fine-tuned as the configuration says."""
    settings = task.training
    return _fine_tuned(
        candidate or task.candidates[0],
        settings.unfreeze,
        settings.learning_rate,
        ON if settings.augment else OFF,
    )


def frozen_backbone(candidate: Candidate) -> Values:
    """A candidate under a linear head."""
    return {**_backbone(candidate), UNFREEZE: 0.0}


def starts_from(values: Values) -> Values | None:
    """The frozen backbone that a fine-tuning starts from; None for a frozen one."""
    return None if is_frozen(values) else frozen_backbone(candidate_of(values))


def space_of(pool: list[Values]) -> SearchSpace:
    """The space that holds some configurations.

    Args:
        pool: of `configurations`.
    """
    rates = [float(each[LEARNING_RATE]) for each in pool if LEARNING_RATE in each]
    columns = {
        name: tuple(sorted({each[name] for each in pool if name in each}, key=str))
        for name in (BACKBONE, WEIGHTS, SIZE, UNFREEZE, AUGMENT)
    }
    choices = [Choice(name=name, values=values) for name, values in columns.items() if values]
    ranges = (
        [FloatRange(name=LEARNING_RATE, low=min(rates), high=max(rates), scale="log")]
        if rates
        else []
    )
    return SearchSpace(parameters=(*choices, *ranges))


def candidate_of(values: Mapping[str, Any]) -> Candidate:
    """The backbone of a configuration."""
    return Candidate(backbone=values[BACKBONE], weights=values[WEIGHTS], image_size=values[SIZE])


def comparable(values: Mapping[str, Any], largest: int) -> Values:
    """A configuration as one of another task, with other backbones and sizes, can be likened to it.

    Args:
        values: of the configuration.
        largest: image size of all candidates of its task.
    """
    kept = (BACKBONE, UNFREEZE, LEARNING_RATE, AUGMENT)
    return {name: values[name] for name in kept if name in values} | {
        RELATIVE_SIZE: values[SIZE] / largest
    }


def in_words(values: Mapping[str, Any]) -> str:
    """A configuration, for people."""
    backbone = str(candidate_of(values))
    if is_frozen(values):
        return f"{backbone}, frozen"
    augmented = "with" if values[AUGMENT] == ON else "without"
    return (
        f"{backbone}, the top {values[UNFREEZE]:.0%} fine-tuned at a rate of "
        f"{values[LEARNING_RATE]:g} {augmented} augmentation"
    )


def is_frozen(values: Mapping[str, Any]) -> bool:
    """Whether nothing of the backbone is trained."""
    return not values[UNFREEZE]


def with_choice(settings: TrainingSettings, values: Mapping[str, Any]) -> TrainingSettings:
    """The settings with what a search chose in their place.

    Args:
        settings: of the configuration; they stay where the search chose nothing.
        values: of a configuration, or empty where nothing was searched.
    """
    if UNFREEZE not in values:
        return settings
    if is_frozen(values):
        chosen: dict[str, Any] = {"strategy": "feature_extraction"}
    else:
        section = UNFREEZE.partition(".")[0] + "."
        chosen = {
            name.removeprefix(section): value
            for name, value in values.items()
            if name.startswith(section)
        }
        chosen["strategy"] = "fine_tune"
    # Pydantic reads "on" and "off" as what is true and false.
    return TrainingSettings.model_validate(settings.model_dump() | chosen)


def _fine_tuned(candidate: Candidate, share: float, rate: float, augment: str) -> Values:
    return {
        **_backbone(candidate),
        UNFREEZE: share,
        # As many digits as a person would write, so that the same rate is the same everywhere.
        LEARNING_RATE: float(f"{rate:.3g}"),
        AUGMENT: augment,
    }


def _backbone(candidate: Candidate) -> Values:
    assert candidate.image_size is not None
    return {
        BACKBONE: candidate.backbone,
        WEIGHTS: candidate.weights,
        SIZE: candidate.image_size,
    }
