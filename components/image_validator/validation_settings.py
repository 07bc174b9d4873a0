"""What ImageValidator looks for and how serious each finding is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from components.findings import Finding

Level = Literal["error", "warning", "ignore"]


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """The `validation` section of the configuration, which documents each key."""

    schema_anomaly: Level
    unseen_class: Level
    label_conflict: Level
    max_label_conflicts: float
    duplicate_across_splits: Level
    near_duplicate_across_splits: Level
    near_duplicate_distance: int
    group_across_splits: Level
    groups_suspected: Level
    min_images_per_class: int
    too_few_images: Level
    max_quarantined: float
    too_many_quarantined: Level
    damaged_container: Level
    flat_images: Level
    max_flat: float
    one_picture: Level
    max_one_picture: float

    @classmethod
    def from_json(cls, text: str) -> "ValidationSettings":
        """Reads what the pipeline passes as one parameter."""
        return cls(**json.loads(text))

    def finding(self, check: str, message: str, images: Sequence[str]) -> list[Finding]:
        """A finding of the severity set under `check`; none where it is to be ignored."""
        return _finding(check, getattr(self, check), message, images)

    def hint(self, check: str, message: str, images: Sequence[str]) -> list[Finding]:
        """A finding that is never more than a warning; none where `check` is to be ignored."""
        level = getattr(self, check)
        return _finding(check, "ignore" if level == "ignore" else "warning", message, images)


def _finding(check: str, level: Level, message: str, images: Sequence[str]) -> list[Finding]:
    if level == "warning":  # the run goes on anyway
        for let_pass in ("warning", "ignore"):
            message = message.replace(override(check, let_pass), _silence(check))
    return [] if level == "ignore" else [Finding.about(check, level, message, images)]


def override(check: str, level: str = "warning") -> str:
    """The words that say how to let a check pass; those of a warning become how to silence it."""
    return f"To go on all the same, set validation.{check}: {level}."


def _silence(check: str) -> str:
    return f"To silence it, set validation.{check}: ignore."
