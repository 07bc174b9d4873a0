"""Names of artifacts and of their files, without TFX, which takes seconds to import."""

from typing import Final

TUNING_HISTORY: Final = "GraftTuningHistory"
"""The artifact type `components.artifact_types.TuningHistory` in ML Metadata."""

HISTORY_FILE: Final = "history.jsonl"
"""The history in a TuningHistory artifact."""

BEST_FILE: Final = "best_hyperparameters.txt"
"""Where TFX's Trainer looks for the values."""
