"""Real fine-tunings with other settings, all from the same head and the same backbone."""

import dataclasses
import hashlib
import json
import shutil
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from models.head.head_trainer import DivergedError
from models.head.selection_score import curve_scores
from models.history.records import Curve, Evaluation
from models.history.search_space import Values
from models.search.trial_store import TrialStore
from models.training import device
from models.training.searched_settings import with_choice
from models.training.top_phase import Mirror, train_top, try_mirror
from models.training.train import train_head
from models.training.training_record import Phase
from models.training.training_task import TrainingTask


class FineTuningTrials:
    """Fine-tunes one task any number of times, each time as `models.training.train` would.

    Finished looks at a training are kept, and so is the state of each training, so that one that
    was paused or killed goes on where it was. The frozen layers run once for each depth.
    """

    def __init__(self, task: TrainingTask, directory: Path) -> None:
        """Takes a task and a place.

        Args:
            task: its backbone has its own weights again after each trial.
            directory: of these trainings alone; need not exist yet.
        """
        self._task = task
        self._directory = directory
        self._work = work_folder(directory)

    def evaluate(self, values: Values, epochs: int) -> Evaluation:
        """Fine-tunes with some settings, or looks up what came of it.

        Args:
            values: of the hyperparameters in `models.training.searched_settings`.
            epochs: to stop after for now; those of the task for a whole training. Epochs of an
                earlier call with the same values are not done again.

        Raises:
            DivergedError: not one epoch ended with finite losses.
        """
        store = TrialStore(self._directory / f"{epochs}-epochs")
        evaluation = store.get(values, self._task.seed)
        if evaluation is None:
            evaluation = self._train(
                values, None if epochs >= self._task.settings.epochs else epochs
            )
            store.put(values, evaluation)
        return evaluation

    def forget(self, values: Values) -> None:
        """Deletes the state of a training that will not go on; what came of it is kept."""
        shutil.rmtree(self._folder(values), ignore_errors=True)

    def close(self) -> None:
        """Deletes all states and activations."""
        shutil.rmtree(self._work, ignore_errors=True)

    def _train(self, values: Values, pause_after: int | None) -> Evaluation:
        trial = dataclasses.replace(
            self._task,
            settings=with_choice(self._task.settings, values),
            scratch=self._folder(values),
            log_dir=self._folder(values) / "logs",
            activations=self._work / "activations",
        )
        policy = device.precision(trial.settings.mixed_precision, device.prepare_device())
        head, start = self._head, self._start
        mirror = self._mirror if trial.settings.augment else None
        keras.utils.set_random_seed(trial.seed)
        try:
            top = train_top(trial, head, policy, mirror=mirror, pause_after=pause_after)
        finally:
            for variable, value in zip(self._variables(), start, strict=True):
                variable.assign(value)
        return _evaluation(top.phase, trial, pause_after)

    @cached_property
    def _head(self) -> keras.Model:
        keras.utils.set_random_seed(self._task.seed)
        head, _ = train_head(self._task)
        return head.model

    @cached_property
    def _mirror(self) -> Mirror:
        settings = self._task.settings.model_copy(update={"augment": True})
        return try_mirror(dataclasses.replace(self._task, settings=settings), self._head)

    @cached_property
    def _start(self) -> list[NDArray[Any]]:
        """What backbone and head are before every training, the state of dropout among it."""
        return [np.array(keras.ops.convert_to_numpy(each)) for each in self._variables()]

    def _variables(self) -> list[keras.Variable]:
        return [*self._task.backbone.model.variables, *self._head.variables]

    def _folder(self, values: Values) -> Path:
        key = json.dumps(values, sort_keys=True).encode()
        return self._work / hashlib.sha256(key).hexdigest()[:32]


def work_folder(directory: Path) -> Path:
    """Where `FineTuningTrials` keeps what takes much room and is of no use once it is closed."""
    return directory / "work"


def _evaluation(phase: Phase, task: TrainingTask, paused_after: int | None) -> Evaluation:
    names = ("loss", "val_loss", "val_accuracy")
    rows = [[figures[name] for name in names] for figures in phase.epochs]
    finite = list(takewhile(lambda row: None not in row, rows))
    if not finite:
        raise DivergedError(f"fine-tuning diverged in its first epoch with {task.settings}")
    losses, validation_losses, accuracies = zip(*finite, strict=True)
    curve = Curve(
        train_loss=losses, validation_loss=validation_losses, validation_accuracy=accuracies
    )
    scores = curve_scores(curve, len(task.labels))
    best = scores.index(max(scores))
    return Evaluation(
        seed=task.seed,
        score=scores[best],
        best_epoch=best,
        validation_loss=validation_losses[best],
        validation_accuracy=accuracies[best],
        seconds=phase.seconds,
        curve=curve,
        paused_after=paused_after,
    )
