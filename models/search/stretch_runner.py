"""Makes the stretches of a search: some epochs of one configuration, from where it paused."""

import shutil
import time
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import keras

from models.backbone_choice.backbone_choice import Candidate
from models.errors import GraftError, UsageError
from models.history.records import Curve, Evaluation
from models.history.search_space import Values
from models.json_digest import json_digest
from models.oracles.freeze_thaw_oracle import CONTINUES, EPOCHS, INITIAL_EPOCH
from models.search.joint_space import candidate_of, is_frozen, with_choice
from models.search.prepared_backbone import PreparedBackbone
from models.search.search_task import SearchTask
from models.search.trial_store import TrialStore
from models.training.activations import of_process
from models.training.top_phase import TopPhase
from models.training.training_state import STATE_FILE

_WORK: Final = "work"
"""Folder of what takes much room and is of no use once the search has ended."""


class DivergedError(GraftError):
    """No epoch of a training ended with finite losses."""


class StretchRunner:
    """Trains configurations of one task, each as far as it is asked to.

    What came of a stretch is kept, and so is the state of each training, so that one that was
    paused, or killed, goes on where it was, in whichever process. What configurations share is paid
    once: embeddings, activations, and what TensorFlow traces.
    """

    def __init__(self, task: SearchTask, folder: Path, name: str = "run") -> None:
        """Takes a task and a place.

        Args:
            task: that is searched on.
            folder: of this search alone; need not exist yet.
            name: of this process; no two at the same search may have the same.
        """
        self._task = task
        self._folder = folder
        self._activations = of_process(Path(task.activations), name)
        self._store = TrialStore(folder / "trials")
        self._prepared: dict[Candidate, PreparedBackbone] = {}
        self._refused: dict[Candidate, str] = {}

    def find(self, values: Values) -> Evaluation | None:
        """What came of a stretch that was made before, by whomever.

        Args:
            values: of a trial of `FreezeThawOracle`.
        """
        return self._store.get(_stretch(values), self._task.seed)

    def keep(self, values: Values, evaluation: Evaluation) -> None:
        """Keeps an evaluation, where whoever made it has not.

        Raises:
            OSError: the disk is full or the folder cannot be written.
        """
        if self.find(values) is None:
            self._store.put(_stretch(values), evaluation)

    def run(self, values: Values) -> Evaluation:
        """Trains a stretch, or looks up what came of it.

        Args:
            values: of a trial of `FreezeThawOracle`.

        Returns:
            All of the configuration's epochs so far; the seconds of this stretch alone.

        Raises:
            DivergedError: no epoch ended with finite losses.
            UsageError: the backbone or its weights cannot be had.
            OSError: the disk is full or the folder cannot be written.
        """
        evaluation = self.find(values)
        if evaluation is None:
            started = time.monotonic()
            made = self._frozen(values) if is_frozen(values) else self._fine_tuned(values)
            evaluation = made.model_copy(update={"seconds": time.monotonic() - started})
            self.keep(values, evaluation)
        return evaluation

    def prepared(self, candidate: Candidate) -> PreparedBackbone:
        """A backbone with what is shared.

        Raises:
            UsageError: it cannot be built, or its weights cannot be had.
        """
        if candidate in self._refused:
            raise UsageError(self._refused[candidate])
        if candidate not in self._prepared:
            try:
                self._prepared[candidate] = PreparedBackbone(
                    self._task, candidate, self._activations
                )
            except UsageError as error:
                self.refuse(candidate, str(error))
                raise
        return self._prepared[candidate]

    def refuse(self, candidate: Candidate, reason: str) -> None:
        """Notes that a backbone cannot be had, whoever found out."""
        self._refused.setdefault(candidate, reason)

    @property
    def refused(self) -> Mapping[Candidate, str]:
        """Backbones that could not be had, and why."""
        return self._refused

    def state_file(self, values: Values) -> Path:
        """Where a fine-tuning of the configuration is taken up from."""
        return self._scratch(values) / STATE_FILE

    def found_state(self, values: Values) -> Path | None:
        """The same where it is there.

        Once a search has ended it is not, and one with another budget, or one that was killed in
        its last moment, may choose what was looked up alone. Its training then begins anew.
        """
        file = self.state_file(values)
        return file if file.is_file() else None

    def close(self) -> None:
        """Deletes all states; what came of the stretches is kept."""
        shutil.rmtree(self._folder / _WORK, ignore_errors=True)

    def _frozen(self, values: Values) -> Evaluation:
        prepared = self.prepared(candidate_of(values))
        assert prepared.embeddings
        started = time.monotonic()
        head = prepared.head
        curve = Curve(
            train_loss=(head.train_loss,),
            validation_loss=(head.validation_loss,),
            validation_accuracy=(head.answers.accuracy,),
            seconds=(time.monotonic() - started,),
            scores=(_share(head.answers.expected_accuracy),),
        )
        return _evaluation(curve, self._task.seed, None)

    def _fine_tuned(self, values: Values) -> Evaluation:
        prepared = self.prepared(candidate_of(values))
        task = prepared.training(with_choice(self._task.training, values), self._scratch(values))
        keras.utils.set_random_seed(task.seed)
        mirror = prepared.mirror(task)
        trainer = prepared.trainer(task)
        top = trainer.train(task, mirror=mirror, pause_after=int(values[EPOCHS]))
        paused_after = None if top.finished else int(values[EPOCHS])
        return _evaluation(_curve(top, values), task.seed, paused_after)

    def _scratch(self, values: Values) -> Path:
        return self._folder / _WORK / json_digest(configuration_of(values))


def configuration_of(values: Mapping[str, Any]) -> Values:
    """The values of a trial without those that say which of its epochs are meant."""
    return {
        name: value
        for name, value in values.items()
        if name not in (EPOCHS, INITIAL_EPOCH, CONTINUES)
    }


def _stretch(values: Mapping[str, Any]) -> Values:
    return {**configuration_of(values), EPOCHS: values[EPOCHS]}


def _curve(top: TopPhase, values: Values) -> Curve:
    names = ("loss", "val_loss", "val_accuracy")
    rows = [
        [*(figures[name] for name in names), seconds, _share(score)]
        for figures, seconds, score in zip(
            top.phase.epochs, top.epoch_seconds, top.scores, strict=True
        )
    ]
    finite = list(takewhile(lambda row: None not in row, rows))
    if not finite:
        raise DivergedError(
            f"fine-tuning diverged in its first epoch with {configuration_of(values)}"
        )
    losses, validation_losses, accuracies, seconds, scores = zip(*finite, strict=True)
    return Curve(
        train_loss=losses,
        validation_loss=validation_losses,
        validation_accuracy=accuracies,
        seconds=seconds,
        scores=scores,
    )


def _evaluation(curve: Curve, seed: int, paused_after: int | None) -> Evaluation:
    best = curve.scores.index(max(curve.scores))
    return Evaluation(
        seed=seed,
        score=curve.scores[best],
        best_epoch=best,
        validation_loss=curve.validation_loss[best],
        validation_accuracy=curve.validation_accuracy[best],
        seconds=0.0,
        curve=curve,
        paused_after=paused_after,
    )


def _share(score: float) -> float:
    return min(max(score, 0.0), 1.0)
