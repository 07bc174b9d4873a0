"""Ranges of a search for heads that are small enough for a test."""

from typing import Any, Final

RANGES: Final[dict[str, Any]] = {
    "learning_rate": (1e-4, 1e-1),
    "weight_decay": (1e-6, 1e-1),
    "dropout": (0.0, 0.5),
    "label_smoothing": (0.0, 0.2),
    "hidden_units": (0, 16),
    "batch_size": (32, 128),
}
"""Of each hyperparameter of `SearchSettings`."""
