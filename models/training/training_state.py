"""Choosing the best epoch, stopping early, and taking a killed training up where it was."""

import io
import json
import math
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from models import progress
from models.head.evidence import answers_of, log_loss
from models.storage.seals import read_sealed, write_sealed

Arrays = list[NDArray[Any]]

STATE_FILE: Final = "state.npz"
"""In the folder of a training: what it is taken up from."""

SAVE_SECONDS = 10.0
"""At least, between two saves of a training under way: what a kill costs beside an epoch. A state
takes half a second to write, and an epoch of few images hardly more to train."""
TRAINING_PASSES: Final = 2.2
"""Passes forward that an image takes as long as in training."""
LEARNED: Final = 0.01
"""Training loss, of that of a guess among the classes, from which on the images are learned."""
LEAST_GAIN: Final = 0.003
"""Accuracy that the last epochs have to promise more than all before, once images are learned. With
five of them, eight fine-tunings of 400 to 600 images of four sets ended after 12 epochs in the
place of 20, with 0.819 of the test images right in the place of 0.817
(`benchmarks/quality/patience.py`)."""
_WORST = -1e9
"""Score of an epoch that diverged, below any other."""


class PausedError(Exception):
    """Ends a training where it was to pause; its state is saved."""


@dataclass
class FineTuningHistory:
    """What the epochs of fine-tuning showed.

    Attributes:
        epochs: for each epoch its `loss`, `accuracy`, `val_log_loss`, `val_accuracy`, `seconds` and
            `score`, the accuracy to expect (`models.head.evidence`).
        best_epoch: index of the epoch whose weights are kept; -1 before the first.
        best_score: the score of it.
        resumed_from: epoch at which a killed training was taken up; None if it was not.
        finished: no epoch is left to do.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = -1
    best_score: float = -np.inf
    resumed_from: int | None = None
    finished: bool = False


class TrainingState(keras.callbacks.Callback):
    """Keeps the weights of the best epoch, stops when none gets better, and survives a kill.

    Put it after `keras.callbacks.SwapEMAWeights(swap_on_epoch=True)`: at the end of an epoch it
    sees the averaged weights, which validation saw, and when the next begins the raw ones, which
    training goes on from; that is when it saves.
    """

    def __init__(
        self,
        file: Path,
        classes: NDArray[np.integer],
        *,
        epochs: int,
        patience: int | None,
        last_patience: int | None = None,
        pause_after: int | None = None,
        images: int | None = None,
    ) -> None:
        """Starts empty.

        Args:
            file: where the state is saved, whole or not at all.
            classes: of the validation images, int [m].
            epochs: most epochs.
            patience: epochs without a better score before training stops; None where the last epoch
                counts, whatever the validation images say.
            last_patience: epochs that have to gain `LEAST_GAIN` together, once the training images
                are learned; None where they need not.
            pause_after: epochs after which training is broken off by a `PausedError`, to be taken
                up by a state of the same file; None for a training to its end.
            images: to train on; without them the seconds of an epoch of one batch, in which
                TensorFlow traces, hold that too.
        """
        super().__init__()
        self.history = FineTuningHistory()
        self._file = file
        self._epochs = epochs
        self._patience = patience
        self._last_patience = last_patience
        self._classes = classes
        self._pause_after = pause_after
        self._images = images
        self._may_trace = True
        self._best: Arrays = []
        self._saved = time.monotonic()
        self._validate: Callable[[], NDArray[np.float32]] | None = None

    def validate_by(self, validate: Callable[[], NDArray[np.float32]]) -> None:
        """Takes what gives the model's logits of the validation images, float32 [m, k]."""
        self._validate = validate

    @property
    def is_over(self) -> bool:
        """Whether no epoch is left to do, for now or for good."""
        return self.history.finished or len(self.history.epochs) == self._pause_after

    @property
    def best_logits(self) -> NDArray[np.float32]:
        """Of the validation images in the best epoch, float32 [m, k]."""
        return self._best[-1]

    def restore(self, model: keras.Model) -> None:
        """Gives a compiled model the saved state, if there is one that can be read."""
        saved = _read(self._file)
        if saved is None:
            return
        self.history, arrays = saved
        targets = [*_variables(model), *model.optimizer.variables]
        for variable, value in zip(targets, arrays, strict=False):
            variable.assign(value)
        self._best = arrays[len(targets) :]
        self.history.resumed_from = len(self.history.epochs)

    def give_best(self, model: keras.Model) -> None:
        """Gives the model the weights of the best epoch."""
        for variable, value in zip(model.trainable_variables, self._best[:-1], strict=True):
            variable.assign(value)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Saves what the epochs before left, now and then; pauses if it is to.

        Raises:
            PausedError: the epochs that were asked for are done.
        """
        del logs
        is_pausing = epoch == self._pause_after
        is_due = is_pausing or time.monotonic() - self._saved >= SAVE_SECONDS
        if is_due and len(self.history.epochs) == epoch > 0 and self.history.resumed_from != epoch:
            self._save()
        if is_pausing:
            raise PausedError
        self._began, self._batches = time.monotonic(), 0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Counts; the clock starts behind the first batch, in which TensorFlow may trace."""
        del batch, logs
        self._batches += 1
        if self._batches == 1:
            self._first_began, self._began = self._began, time.monotonic()

    def _epoch_seconds(self, validated_from: float) -> float:
        now = time.monotonic()
        may_trace, self._may_trace = self._may_trace, False
        if self._batches == 1:
            trained, validated = validated_from - self._first_began, now - validated_from
            if may_trace and self._images is not None:
                # The graph that validates was traced before.
                share = self._images / len(self._classes)
                trained = min(trained, TRAINING_PASSES * share * validated)
            return trained + validated
        trained = (validated_from - self._began) * self._batches / (self._batches - 1)
        return trained + now - validated_from

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Compares the epoch with the best one so far."""
        assert self._validate is not None
        began = time.monotonic()
        logits = self._validate()
        diverged = not np.isfinite(logits).all()
        logs = {} if logs is None else logs
        logs["val_accuracy"] = float(np.mean(logits.argmax(axis=1) == self._classes))
        logs["val_log_loss"] = math.nan if diverged else log_loss(logits, self._classes)
        score = _WORST if diverged else answers_of(logits, self._classes).expected_accuracy
        history = self.history
        figures = logs | {"seconds": self._epoch_seconds(began), "score": score}
        history.epochs.append({name: float(value) for name, value in figures.items()})
        if self._is_kept(score):
            history.best_score, history.best_epoch = score, epoch
            self._best = [*values_of(self.model.trainable_variables), logits]
        is_stuck = self._patience is not None and epoch - history.best_epoch >= self._patience
        if diverged or is_stuck or self._has_learned(logits.shape[1]):
            self.model.stop_training = True
        # Where the last epoch counts, the validation images may be learned from.
        note = "" if self._patience is None else f"validation accuracy {logs['val_accuracy']:.3f}"
        progress.report(epoch + 1, self._epochs, "epochs", note)

    def _is_kept(self, score: float) -> bool:
        return self._patience is None or score > self.history.best_score

    def _has_learned(self, classes: int) -> bool:
        """Whether nothing is left to learn, and the last epochs gained next to nothing."""
        epochs, last = self.history.epochs, self._last_patience
        if last is None:
            return False
        gained = last_gain([each["score"] for each in epochs], last)
        return epochs[-1]["loss"] < LEARNED * math.log(classes) and gained < LEAST_GAIN

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Saves the outcome."""
        del logs
        self.history.finished = True
        self._save()

    def _save(self) -> None:
        targets = [*_variables(self.model), *self.model.optimizer.variables]
        content = io.BytesIO()
        history = json.dumps(asdict(self.history))
        np.savez(content, *values_of(targets), *self._best, history=history)
        write_sealed(self._file, content.getvalue())
        self._saved = time.monotonic()


def _variables(model: keras.Model) -> list[Any]:
    """Weights and states of random generators, without metrics."""
    metrics = {id(variable) for variable in model.metrics_variables}
    return [variable for variable in model.variables if id(variable) not in metrics]


def last_gain(scores: Sequence[float], last: int) -> float:
    """What the best of the last epochs has more than the best before; infinite without any."""
    before = scores[:-last]
    return max(scores[-last:]) - max(before) if before else math.inf


def values_of(variables: list[Any]) -> Arrays:
    """Copies what variables hold."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _read(file: Path) -> tuple[FineTuningHistory, Arrays] | None:
    """None where there is no file, or one that is damaged or of other code."""
    saved = read_sealed(file)
    if saved is None:
        return None
    try:
        with np.load(io.BytesIO(saved), allow_pickle=False) as content:
            history = FineTuningHistory(**json.loads(str(content["history"])))
            return history, [content[f"arr_{index}"] for index in range(len(content.files) - 1)]
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None
