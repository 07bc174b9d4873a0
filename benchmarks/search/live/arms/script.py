"""The script of Keras' guide, cut where its time is spent."""

from typing import Final

from benchmarks.keras_guide import guide
from benchmarks.search.live.situation import Clock, Outcome, Situation

_SIZE: Final = 160
"""Side in pixels; the guide's own is 150."""


def keras_guide(situation: Situation, clock: Clock) -> Outcome:
    """Trains the head, then all of the backbone; the last weights count."""
    found = guide(situation.images, _SIZE, situation.seed, clock.left)
    return Outcome(
        accuracy=found["test_accuracy"],
        log_loss=found["test_log_loss"],
        seconds=found["training_seconds"],
        chosen=f"EfficientNetLite0 at {_SIZE} px, all of it fine-tuned",
        notes={"validation_accuracy": found["validation_accuracy"]},
    )
