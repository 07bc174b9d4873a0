"""What the training after a search takes, and how long it may go on."""

import statistics
from collections.abc import Sequence
from typing import Final

from models.history.records import Evaluation, TrialRecord
from models.history.search_space import Values
from models.search.costs import Costs
from models.search.images_beside import NONE_BESIDE
from models.search.joint_space import is_frozen
from models.search.search_task import SearchTask
from models.search.second_training import SecondTraining
from models.training.network_refit import EPOCHS as REFIT_EPOCHS

_USUAL_EPOCHS: Final = 14
"""That a fine-tuning takes where the configuration does not say how long to wait for a better one:
7 to 15 (`benchmarks/quality/patience.py`)."""
_BEST_EPOCH: Final = 12
"""That is the best one of most fine-tunings, or near it."""
_EXPORT_SECONDS: Final = 22.0
"""To export what was trained, to ask it, and to train the probe beside it; where the constants of
`models.search.costs` were seen. Some 6 s on two cores with nothing else to do."""


class FinalTraining:
    """The training of what a search chose, or of what was usual without one.

    Attributes:
        epochs: that a fine-tuning is expected to take.
    """

    def __init__(
        self, task: SearchTask, costs: Costs, second: SecondTraining | None = None
    ) -> None:
        """Nothing is measured here.

        Args:
            task: that is searched on.
            costs: of trainings on this machine.
            second: what it makes of images without their classes; None where there are none.
        """
        self._task = task
        self._costs = costs
        self._second = second or SecondTraining(costs, NONE_BESIDE, is_few_shot=False)
        training = task.training
        wait = training.patience
        self.epochs = min(training.epochs, _BEST_EPOCH + wait if wait else _USUAL_EPOCHS)

    def seconds(self, values: Values) -> float:
        """That a configuration is expected to take which was not begun, but for what closes it."""
        return self._costs.training(values, 1 if is_frozen(values) else self.epochs)

    def most_seconds(self, begun: Sequence[Values], trials: int | None) -> float:
        """Seconds after which a search has nothing left to buy, however large its budget is.

        A stretch takes about as long as a first epoch with what comes before it.

        Args:
            begun: all that the search may begin; at least one.
            trials: most stretches; None for no limit.
        """
        every = sum(map(self.seconds, begun))
        if trials is None:
            return every
        return min(every, trials * max(self._costs.training(each, 1) for each in begun))

    def closing_seconds(self, values: Values) -> float:
        """That follow its last epoch by the validation images: what it takes to export it.

        And before, of a fine-tuning, to go on with all images, where that is done
        (`models.training.network_refit`), or to learn anew from images beside the labelled ones.
        """
        costs = self._costs
        everything = costs.images + costs.validation_images
        seconds = self._export_seconds + self._second.seconds(values, self.epochs)
        if is_frozen(values) or self._second.is_made(values):
            return seconds
        if self._task.training.may_refit(everything):
            epochs = REFIT_EPOCHS * everything / costs.images
            seconds += costs.further_start(values, costs.validation_images)
            seconds += epochs * costs.epoch(values)
        return seconds

    def epochs_within(
        self, seconds: float, chosen: Values, records: Sequence[TrialRecord]
    ) -> int | None:
        """Most epochs, those of the search included, of what was chosen.

        Args:
            seconds: that are left, those that close the training included.
            chosen: what is trained.
            records: of all that was begun.

        Returns:
            No fewer than most fine-tunings need; None where nothing keeps it from as many as are
            configured, or where nothing of the backbone is trained.
        """
        if is_frozen(chosen):
            return None
        last = _last(chosen, records)
        trained = () if last is None else last.curve.seconds
        each = statistics.fmean(trained) if trained else self._costs.epoch(chosen)
        before = self._costs.again() if trained else self._costs.start(chosen)
        left = int((seconds - self.closing_seconds(chosen) - before) / each)
        most = max(_BEST_EPOCH, len(trained) + max(0, left))
        return most if most < self._task.training.epochs else None

    def left(
        self,
        chosen: Values,
        records: Sequence[TrialRecord],
        most_epochs: int | None,
        *,
        begins_anew: bool = False,
    ) -> float:
        """Seconds that the training of a configuration is still expected to take.

        Args:
            chosen: what is trained.
            records: of all that was begun.
            most_epochs: see `epochs_within`.
            begins_anew: whether the state is gone that it would have gone on from.
        """
        last = _last(chosen, records)
        if last is None:
            return self.seconds(chosen) + self.closing_seconds(chosen)
        if is_frozen(chosen):
            return self._costs.epoch(chosen) + self.closing_seconds(chosen)
        closing = self._costs.again() + self.closing_seconds(chosen)
        trained = last.curve.seconds
        epochs = 0
        if last.paused_after is not None:
            epochs = max(self.epochs - len(trained), self._task.training.waits_at_last)
            if most_epochs is not None:
                epochs = min(epochs, most_epochs - len(trained))
        if begins_anew:
            epochs += len(trained)
            images = self._costs.images + self._costs.validation_images
            closing += self._costs.further_start(chosen, images)
        return epochs * statistics.fmean(trained) + closing

    @property
    def _export_seconds(self) -> float:
        return self._costs.seconds(0.0, _EXPORT_SECONDS)


def _last(chosen: Values, records: Sequence[TrialRecord]) -> Evaluation | None:
    """What is known of the epochs of a configuration; None where it was not begun."""
    return next((each.evaluations[-1] for each in records if each.values == chosen), None)
