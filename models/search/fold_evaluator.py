"""Evaluates configurations on folds, one after the other or in processes beside each other."""

from collections.abc import Sequence

from models.head.head_trainer import DivergedError
from models.head.hyperparameters import HeadParameters
from models.history.records import Evaluation, SearchDescription
from models.history.search_space import Values
from models.search.folds import FoldTrainers
from models.search.trial_store import TrialStore
from models.search.worker_processes import Job, Workers


class FoldEvaluator:
    """Trains configurations on folds, each fold with a seed of its own.

    Finished evaluations are kept, so that a killed search pays for none twice.
    """

    def __init__(
        self,
        trainers: FoldTrainers,
        search: SearchDescription,
        store: TrialStore,
        workers: Workers,
    ) -> None:
        """Puts the parts together.

        Args:
            trainers: of the folds.
            search: epochs, patience and seed of each training.
            store: of finished evaluations.
            workers: without a job; where there is but one, trainings run in this process.
        """
        self._trainers = trainers
        self._search = search
        self._store = store
        self._workers = workers
        self._failures: list[tuple[Values, int, str]] = []

    def prepare(self, configurations: Sequence[Values], fold: int) -> None:
        """Trains configurations that will be asked for, beside each other."""
        if self._workers.count == 1:
            return
        jobs = {
            f"fold {fold}, configuration {number}": values
            for number, values in enumerate(configurations)
            if self._store.get(values, self._seed(fold), fold) is None
        }
        for name, outcome in self._workers.run(
            [self._job(name, values, fold) for name, values in jobs.items()]
        ):
            if isinstance(outcome, Evaluation):
                self._keep(jobs[name], fold, outcome)
            else:
                self._failures.append((jobs[name], fold, outcome))

    def __call__(self, values: Values, fold: int) -> Evaluation:
        """Trains a configuration, or looks the outcome up.

        Raises:
            DivergedError: nothing came of it.
        """
        kept = self._store.get(values, self._seed(fold), fold)
        if kept is not None:
            return kept
        for failed, on, error in self._failures:
            # What killed other processes must not be begun in this one.
            if (failed, on) == (values, fold):
                raise DivergedError(error)
        job = self._job("", values, fold)
        return self._keep(values, fold, job.run(self._trainers[fold]))

    def _job(self, name: str, values: Values, fold: int) -> Job:
        return Job(
            name=name,
            parameters=HeadParameters.from_values(values),
            epochs=self._search.epochs,
            patience=self._search.patience,
            seed=self._seed(fold),
            fold=fold,
        )

    def _keep(self, values: Values, fold: int, outcome: Evaluation) -> Evaluation:
        evaluation = outcome.model_copy(update={"fold": fold})
        self._store.put(values, evaluation)
        return evaluation

    def _seed(self, fold: int) -> int:
        return self._search.seed + 1 + fold
