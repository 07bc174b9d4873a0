"""Makes one trial after the other in this process."""

from models.head.head_trainer import HeadTrainer
from models.head.hyperparameters import HeadParameters
from models.head.selection_score import curve_scores
from models.head.stopping import TrialStopper
from models.history.records import Evaluation, SearchDescription
from models.history.search_space import Values
from models.search.trial_store import TrialStore
from models.search.worker_processes import Job


class TrialRunner:
    """Trains heads as a search asks for, and keeps what came out.

    A trial that falls behind is stopped early where the search says so, judged by the learning
    curves of the trials that this process has run or looked up.
    """

    def __init__(self, trainer: HeadTrainer, search: SearchDescription, store: TrialStore) -> None:
        """Takes the parts.

        Args:
            trainer: of the task.
            search: epochs, patience and seed of each training.
            store: of finished trials.
        """
        self._trainer = trainer
        self._search = search
        self._store = store
        self._stopper = TrialStopper()

    def find(self, values: Values) -> Evaluation | None:
        """The evaluation of a trial that was finished before, by whomever."""
        return self._store.get(values, self._search.seed)

    def keep(self, values: Values, evaluation: Evaluation) -> None:
        """Keeps the evaluation of a trial, in one step.

        Raises:
            OSError: the disk is full or the folder cannot be written.
        """
        self._store.put(values, evaluation)

    def run(self, name: str, values: Values) -> Evaluation:
        """Trains the head that a trial describes, or looks the outcome up.

        Raises:
            DivergedError: no epoch ended with finite losses.
            OSError: the disk is full or the folder cannot be written.
        """
        evaluation = self.find(values)
        if evaluation is None:
            evaluation = self.job(name, values).run(self._trainer)
            self.keep(values, evaluation)
        self._stopper.ended(curve_scores(evaluation.curve, self._trainer.task.classes))
        return evaluation

    def job(self, name: str, values: Values) -> Job:
        """The training of a trial."""
        return Job(
            name=name,
            parameters=HeadParameters.from_values(values),
            epochs=self._search.epochs,
            patience=self._search.patience,
            seed=self._search.seed,
            should_stop=self._stopper.should_stop if self._search.stop_trials else None,
        )
