"""A trainer that says how much it was asked for."""

from typing import Any

from models.head.head_trainer import HeadTrainer


class CountingTrainer(HeadTrainer):
    """Counts the heads that are really trained."""

    trained = 0

    def train(self, *args: Any, **kwargs: Any) -> Any:
        self.trained += 1
        return super().train(*args, **kwargs)
