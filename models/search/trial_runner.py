"""Makes the trainings of a search, one after the other in this process."""

from collections.abc import Iterable, Sequence

from models.head.hyperparameters import HeadParameters
from models.head.selection_score import curve_scores
from models.head.stopping import TrialStopper
from models.history.records import Evaluation, SearchDescription
from models.history.search_space import Values
from models.search.folds import FoldTrainers
from models.search.trial_store import TrialStore


class TrialRunner:
    """Trains heads as a search asks for, and keeps what came out.

    A trial that falls behind is stopped early where the search says so, judged by the learning
    curves of the trials that have ended.

    Attributes:
        search: epochs, patience and seed of each training.
        curves: scores of the trials that have ended, epoch by epoch.
    """

    def __init__(
        self, trainers: FoldTrainers, search: SearchDescription, store: TrialStore
    ) -> None:
        """Takes the parts.

        Args:
            trainers: of the task and its folds.
            search: epochs, patience and seed of each training.
            store: of finished trainings.
        """
        self.search = search
        self.curves: list[Sequence[float]] = []
        self._trainers = trainers
        self._store = store
        self._stopper = TrialStopper()

    def find(self, values: Values, fold: int | None = None) -> Evaluation | None:
        """The evaluation of a training that was finished before, by whomever.

        Args:
            values: of the hyperparameters.
            fold: of the task, from 0; None for the task as it is.
        """
        return self._store.get(values, self._seed(fold), fold)

    def keep(self, values: Values, evaluation: Evaluation) -> None:
        """Keeps an evaluation, where whoever made it has not.

        Raises:
            OSError: the disk is full or the folder cannot be written.
        """
        if self.find(values, evaluation.fold) is None:
            self._store.put(values, evaluation)

    def run(self, values: Values, fold: int | None = None) -> Evaluation:
        """Trains a head, or looks the outcome up. Each fold has a seed of its own.

        Args:
            values: of the hyperparameters.
            fold: of the task, from 0; None for the task as it is.

        Raises:
            DivergedError: no epoch ended with finite losses.
            OSError: the disk is full or the folder cannot be written.
        """
        evaluation = self.find(values, fold)
        if evaluation is None:
            may_stop = self.search.stop_trials and fold is None
            trained = self._trainers[fold].train(
                HeadParameters.from_values(values),
                epochs=self.search.epochs,
                patience=self.search.patience,
                seed=self._seed(fold),
                should_stop=self._stopper.should_stop if may_stop else None,
            )
            evaluation = trained.evaluation.model_copy(update={"fold": fold})
            self._store.put(values, evaluation)
        return evaluation

    def note(self, evaluation: Evaluation) -> None:
        """Takes note of a trial that has ended: later ones are compared with it."""
        self.hear([curve_scores(evaluation.curve, self._trainers[None].task.classes)])

    def hear(self, curves: Iterable[Sequence[float]]) -> None:
        """Takes note of trials that have ended elsewhere, by their scores."""
        for scores in curves:
            self.curves.append(scores)
            self._stopper.ended(scores)

    def _seed(self, fold: int | None) -> int:
        return self.search.seed + (0 if fold is None else 1 + fold)
