"""What a training makes of more than images with their classes, told before it is made."""

from dataclasses import replace

from models.history.search_space import Values
from models.search.costs import Costs
from models.search.images_beside import ImagesBeside
from models.search.joint_space import candidate_of, frozen_backbone, is_frozen
from models.training.strategies.self_training import MOST
from models.training.target_copies import MEASURED, MOST_TRAINING, MOST_VALIDATION


class SecondTraining:
    """The heads that learn from it, and the fine-tuning anew that follows the first.

    Whether a head learns from copies of a target with profit, and so a network, is known only then:
    it is counted, as somebody who names another domain has one.
    """

    def __init__(self, costs: Costs, beside: ImagesBeside, *, is_few_shot: bool) -> None:
        """Nothing is measured here.

        Args:
            costs: of trainings on this machine.
            beside: what there is.
            is_few_shot: whether heads for few images are tried.
        """
        self._costs = costs
        self._columns = beside.columns
        self._unlabelled = min(beside.unlabelled, costs.images)
        self._embedded = min(beside.unlabelled, MOST) if is_few_shot else 0
        self._target = min(beside.target, MEASURED)
        self._copies = min(costs.images, MOST_TRAINING) if beside.target else 0
        self._validated = min(costs.validation_images, MOST_VALIDATION) if beside.target else 0

    def is_made(self, values: Values) -> bool:
        """Whether the backbone of a configuration is fine-tuned a second time."""
        return not is_frozen(values) and bool(self._unlabelled or self._copies)

    def seconds(self, values: Values, epochs: int) -> float:
        """Beside those of the training of a configuration.

        Args:
            values: of the configuration.
            epochs: that a fine-tuning is expected to take.
        """
        seconds = self._head_seconds(values)
        if not self.is_made(values):
            return seconds
        costs = self._costs
        further = max(self._unlabelled, self._copies)
        both = replace(
            costs,
            images=costs.images + further,
            validation_images=costs.validation_images + self._validated,
        )
        seconds += costs.further_start(values, further + self._validated)
        seconds += epochs * both.epoch(values)
        if self._copies:
            # The first model answers the copies, and then the second.
            return seconds + 2 * costs.embedding(candidate_of(values), self._validated)
        return seconds + costs.answering(values, costs.images + further)

    def _head_seconds(self, values: Values) -> float:
        candidate, costs = candidate_of(values), self._costs
        seconds = self._columns * costs.epoch(frozen_backbone(candidate))
        if self._columns and not is_frozen(values):
            # What the fine-tuned backbone gives of each.
            seconds += costs.embedding(candidate, costs.images + costs.validation_images)
        if self._embedded:
            seconds += costs.embedding(candidate, self._embedded)
        if self._copies:
            images = self._target + self._copies + self._validated
            seconds += costs.embedding(candidate, images)
            both = replace(costs, images=costs.images + self._copies)
            seconds += both.epoch(frozen_backbone(candidate))
        return seconds
