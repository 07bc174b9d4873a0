"""One search for backbone, image size, how much of it is trained and how, within a time."""

import contextlib
import logging
import shlex
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import keras_tuner

from models import progress
from models.backbones import Backbone
from models.curves.learning_curve import CurveTask
from models.errors import GraftError
from models.history.records import SUBJECT, SearchDescription, TaskDescription
from models.history.search_space import Values
from models.history.tuning_history import TuningHistory, new_history
from models.json_digest import json_digest
from models.number_text import duration
from models.oracles.freeze_thaw_oracle import FreezeThawOracle
from models.search.costs import Costs, measured_pace
from models.search.final_training import FinalTraining
from models.search.images_beside import NONE_BESIDE, ImagesBeside
from models.search.joint_space import (
    UNFREEZE,
    candidate_of,
    comparable,
    configurations,
    is_frozen,
    space_of,
    starts_from,
    usual_fine_tuning,
)
from models.search.search_record import RefusedBackbone, SearchRecord
from models.search.search_settings import SearchSettings
from models.search.search_task import SearchTask
from models.search.second_training import SecondTraining
from models.search.stretch_runner import StretchRunner
from models.search.stretches import Stretches
from models.search.tried import description, tried_backbones
from models.search.winner import Winner, fine_tuning_within, most_promising
from models.search.workers.search_server import LOOPBACK, SearchServer, serving
from models.search.workers.served_search import ServedSearch
from models.search.workers.signature import read_secret
from models.search.workers.worker_processes import WorkerProcesses
from models.storage.folders import delete_others
from models.training.strategies.strategy import Situation

METRIC: Final = "expected_accuracy"
"""Score of a trial: the accuracy to expect of it on other images (`models.head.evidence`)."""
TIMEOUT_SECONDS: Final = 60.0
"""Without a word after which a worker's stretch goes to another one."""
_SHARE: Final = 0.7
"""Of what the usual training is expected to take: the budget where none is given."""
_OVERRUN: Final = 1.15
"""Of the seconds told at the start, that search and training may reach; a fifth more may be taken,
and what an epoch takes is known but roughly."""
_CONTINUED: Final = 0.6
"""Of the search, that the training need not do again. With half of the time of 20 epochs for the
search, the training took 0.4 to 1.0 of that time in thirteen runs."""
_SPARE: Final = 0.1
"""Of the budget, that is worth to search on for."""

_TEN_MINUTES: Final = 600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        history: every configuration that was begun; at least one came out.
        chosen: values of the configuration to train.
        state: file that its training is taken up from; None where there is none.
        record: of the search, for people.
        epochs: most that fit into the time that was told, where those are fewer than configured.
    """

    history: TuningHistory
    chosen: Values
    state: Path | None
    record: SearchRecord
    epochs: int | None = None


class JointSearch:
    """A search, from what is known before it to what was found.

    The usual configuration is begun first. All that was made is kept until `close`, so that a
    search that was killed goes on.

    Attributes:
        runner: makes the stretches.
        embeddings: of the first backbone.
        costs: of trainings on this machine.
        usual_seconds: that the usual training is expected to take: a fine-tuning, unless the
            configuration rules that out.
        budget: seconds for the search.
        longest: seconds by the clock that it can take, where its processes share the budget.
    """

    def __init__(
        self,
        task: SearchTask,
        settings: SearchSettings,
        scratch: Path,
        *,
        code: str = "",
        beside: ImagesBeside = NONE_BESIDE,
    ) -> None:
        """Builds the first backbone, embeds the images with it, and measures the machine.

        Args:
            task: that is searched on.
            settings: of the search.
            scratch: folder that is kept from run to run; searches share it.
            code: digest of the training code; nothing is taken over from other code.
            beside: what the training after the search learns from, too.

        Raises:
            UsageError: the first backbone cannot be had.
            BadDataError: no image to train or to validate on.
        """
        self._task = task
        self._settings = settings
        self._code = code
        self._folder = scratch / _key(task, code)
        # Of those that were killed only the last one can go on.
        delete_others(self._folder)
        self.runner = StretchRunner(task, self._folder)
        first = self.runner.prepared(task.candidates[0])
        self.embeddings = first.embeddings
        images = len(self.embeddings.train.classes)
        self._pool = configurations(task, images)
        shares = {float(each[UNFREEZE]) for each in self._pool} - {0.0}
        shares.add(task.training.unfreeze)
        self.costs = Costs(
            images=images,
            validation_images=len(self.embeddings.validation.classes),
            batch_size=task.training.batch_size,
            shares=tuple(sorted(shares)),
            pace=measured_pace(first, shares, self._folder),
            processes=settings.parallel,
        )
        # Now, as nothing is paid for yet.
        is_few_shot = Situation(self.embeddings, task.training).is_few_shot
        second = SecondTraining(self.costs, beside, is_few_shot=is_few_shot)
        self._training = FinalTraining(task, self.costs, second)
        given, fine_tuning = settings.budget, usual_fine_tuning(task)
        self.budget = _SHARE * self._training.seconds(fine_tuning) if given is None else given
        begun = [each for each in self._pool if self._may_begin(each)]
        is_frozen_alone = all(map(is_frozen, begun))
        self._usual = self._pool[0] if is_frozen_alone else fine_tuning
        self.usual_seconds = self._training.seconds(self._usual)
        most = self._training.most_seconds(begun, settings.trials)
        self.longest = min(self.budget, most) / settings.parallel
        # What the search has no use for, a fine-tuning behind it may take.
        granted = self.longest if is_frozen_alone else self.budget / settings.parallel
        self._unused = granted - self.longest

    def _may_begin(self, values: Values) -> bool:
        """Whether an epoch may fit the budget, behind the frozen backbone; the first does."""
        frozen = starts_from(values)
        if frozen is None or values == self._pool[0]:
            return True
        behind = self.costs.training(values, 1) - self.costs.training(frozen, 1)
        return behind <= self.budget

    @property
    def first_backbone(self) -> Backbone:
        """Of the first candidate."""
        return self.runner.prepared(self._task.candidates[0]).backbone

    @property
    def expected_seconds(self) -> float:
        """Of the search and the training after it: what is told at the start.

        The training goes on where the best trial ended, so that part of the search is its own. With
        few images it then learns from those that validated, too.
        """
        closing = self._training.closing_seconds(self._usual)
        if is_frozen(self._usual):
            return self.longest + self.costs.epoch(self._usual) + closing
        own = _CONTINUED * min(self.longest, self.usual_seconds)
        return self.longest + self.usual_seconds - own + closing

    def run(
        self,
        described: TaskDescription,
        past: Sequence[CurveTask] = (),
        *,
        price: float = 0.0,
        name: str = "",
    ) -> SearchResult:
        """Searches.

        Args:
            described: the task, by its embeddings with the first backbone.
            past: what earlier searches saw.
            price: accuracy that a configuration must promise for each doubling of what its backbone
                computes for an image.
            name: of the data, for people.

        Raises:
            GraftError: not a single configuration came out.
            UsageError: the address to serve at cannot be listened at.
            OSError: the disk is full or the folder cannot be written.
        """
        is_warm = self._settings.algorithm == "warm"
        learned = [each for each in past if each.begun] if is_warm else []
        oracle = self._oracle(described, learned)
        stretches = Stretches(oracle, self.runner, self.costs, self._folder)
        if self._settings.budget is None:
            oracle.extension = lambda: self._spare(oracle, stretches, price)
        with contextlib.ExitStack() as stack:
            stretches.make(*self._workers(stack))
        records = stretches.tried.records
        if not any(record.evaluations for record in records):
            reason = records[-1].message if records else "none was proposed"
            raise GraftError(f"None of {len(records)} configurations came out: {reason}")
        won = self._won(oracle, stretches, price)
        is_paused = won.trained == won.begun and not is_frozen(won.begun)
        state = self.runner.found_state(won.trained) if is_paused else None
        epochs = self._training.epochs_within(self._left(stretches), won.trained, records)
        history = new_history(
            space_of(self._pool),
            described,
            self._described(),
            records,
            chosen=next(each.order for each in records if each.values == won.begun),
            name=name,
        )
        record = SearchRecord(
            budget=oracle.budget,
            spent=oracle.spent,
            clock_seconds=stretches.elapsed,
            is_shared=self._is_shared,
            usual_seconds=self.usual_seconds,
            training_seconds=self._training.left(
                won.trained, records, epochs, begins_anew=is_paused and state is None
            ),
            chosen=won.trained,
            words=won.words + self._longer(oracle.budget),
            past=tuple(each.name for each in learned),
            trusted=oracle.trusts_past if learned else None,
            judged=oracle.has_judged_past if learned else True,
            steps=tuple(stretches.steps),
            backbones=tried_backbones(records, candidate_of(won.begun), self.costs),
            refused=tuple(
                RefusedBackbone(candidate=candidate, reason=reason[:1000])
                for candidate, reason in self.runner.refused.items()
            ),
            gain=oracle.expected_gain(_TEN_MINUTES),
        )
        return SearchResult(history, won.trained, state, record, epochs)

    def close(self) -> None:
        """Deletes what takes much room."""
        self.runner.close()

    def _oracle(self, described: TaskDescription, learned: Sequence[CurveTask]) -> FreezeThawOracle:
        largest = max(each.image_size or 1 for each in self._task.candidates)
        return FreezeThawOracle(
            keras_tuner.Objective(METRIC, "max"),
            self.budget,
            learned,
            task=CurveTask("this search", described.images, description(described)),
            max_epochs=self._task.training.epochs,
            max_trials=self._settings.trials,
            pool=self._pool,
            comparable=lambda values: comparable(values, largest),
            seconds=self.costs.epoch,
            start_seconds=self.costs.start,
            starts_from=starts_from,
            # Keras Tuner takes 0 for "choose one at random".
            seed=self._task.seed + 1,
            # By default three failures in a row end the search.
            max_consecutive_failed_trials=len(self._pool) + 1,
            trial_timeout=TIMEOUT_SECONDS,
        )

    def _won(self, oracle: FreezeThawOracle, stretches: Stretches, price: float) -> Winner:
        won = most_promising(oracle.promises(), self.costs, price, self._pool[0])
        candidate = candidate_of(won.begun)
        own = [
            each.values
            for each in stretches.tried.records
            if candidate_of(each.values) == candidate
        ]
        if not all(map(is_frozen, own)):
            # Begun ones that lose to the frozen backbone have failed.
            return won
        closing = self._training.closing_seconds(usual_fine_tuning(self._task, candidate))
        longer = fine_tuning_within(
            self._left(stretches) + self._unused - closing,
            self._task,
            self.costs,
            candidate,
            oracle.ends(),
            self._training.epochs,
        )
        return won if longer is None else won.then(longer)

    def _spare(self, oracle: FreezeThawOracle, stretches: Stretches, price: float) -> float:
        """Seconds of all processes to search on where the winner's training takes less than told.

        Half of what it leaves: another winner's may take more.
        """
        records = stretches.tried.records
        if not any(record.evaluations for record in records):
            return 0.0
        chosen = self._won(oracle, stretches, price).trained
        needed = stretches.elapsed + self._training.left(chosen, records, None)
        spare = (self.expected_seconds - needed) / 2 * self._settings.parallel
        return spare if spare >= _SPARE * self.budget else 0.0

    def _left(self, stretches: Stretches) -> float:
        """Seconds by the clock, behind the search, that the training may take as it was told."""
        return _OVERRUN * self.expected_seconds - stretches.elapsed

    def _longer(self, budget: float) -> str:
        """Says that the search went on, if it did."""
        if budget == self.budget:
            return ""
        first, further = (
            duration(each / self._settings.parallel) for each in (self.budget, budget - self.budget)
        )
        return (
            f" What was ahead after {first} is quick to train, so the search went on for {further} "
            "of the time that was told for the training."
        )

    def _workers(
        self, stack: contextlib.ExitStack
    ) -> tuple[SearchServer | None, WorkerProcesses | None]:
        """Serves the search, until the stack is closed, to processes of this machine and others."""
        settings = self._settings
        if not self._is_shared:
            return None, None
        processes = None
        secret = read_secret(settings.serve_secret)
        if settings.parallel > 1:
            kind = type(self.runner)
            processes = WorkerProcesses(
                settings.parallel, self._folder, self._own_code, kind, secret
            )
            # Only after the farewell, which those that are idle follow by themselves.
            stack.callback(processes.kill)
        served = ServedSearch(
            mark=uuid.uuid4().hex,
            address=settings.serve or LOOPBACK,
            code=self._own_code,
            task=self._task,
            is_signed=bool(secret),
        )
        server = stack.enter_context(serving(served, self._folder, secret))
        if settings.serve:
            how = ["--secret", settings.serve_secret] if secret else []
            line = shlex.join(["graft", "worker", str(self._folder.absolute()), *how])
            words = f"Other machines may join by: {line}"
            _log.info(words)
            progress.report(0, round(self.budget), "seconds", words, is_lasting=True)
        return server, processes

    @property
    def _is_shared(self) -> bool:
        """Whether several processes train, which is then served."""
        return self._settings.parallel > 1 or bool(self._settings.serve)

    @property
    def _own_code(self) -> str:
        """Without the digests of weights files behind it, which workers do not know."""
        return self._code.partition(" ")[0]

    def _described(self) -> SearchDescription:
        training = self._task.training
        return SearchDescription(
            algorithm=self._settings.algorithm,
            seed=self._task.seed,
            epochs=training.epochs,
            patience=training.waits(self.costs.images),
            class_weights=training.weighting,
            metric=METRIC,
            subject=SUBJECT,
        )


def _key(task: SearchTask, code: str) -> str:
    """Digest of everything that a stretch depends on, beside its values."""
    return json_digest([task.model_dump(mode="json"), code])
