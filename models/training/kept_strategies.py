"""Which strategies made what a training exported, as its file tells."""

from typing import Any

Json = dict[str, Any]


def kept_strategies(training: Json) -> list[Json]:
    """The strategies that were kept of what is exported; none for plain training.

    Args:
        training: `training.json`, as `models.training.training_record.TrainingRecord` writes it.
    """
    exported = training.get("exported", "")
    return [
        each
        for each in training.get("strategies", [])
        if each.get("kept") and each.get("of", "head") == exported
    ]
