"""AdamW with a rate of its own for each weight."""

from collections.abc import Mapping
from typing import Any

import keras


@keras.saving.register_keras_serializable(package="graft")
class DiscriminativeAdamW(keras.optimizers.AdamW):
    """AdamW that multiplies the learning rate weight by weight.

    Lower layers hold more general features and are moved less. Multiplying gradients instead would
    do nothing: Adam's step does not depend on their scale.

    Reference: J. Howard and S. Ruder, "Universal Language Model Fine-tuning for Text
    Classification" (ACL 2018), section 3.2.
    """

    def __init__(self, *args: Any, factors: Mapping[str, float] | None = None, **kwargs: Any):
        """Takes the arguments of AdamW, and factors by a weight's path (1 where absent)."""
        super().__init__(*args, **kwargs)
        self.factors = dict(factors or {})
        self._factor_of: dict[int, float] = {}

    def build(self, variables: list[keras.Variable]) -> None:
        """Creates the moments, and finds each weight's factor."""
        super().build(variables)
        for variable in variables:
            factor = self.factors.get(variable.path, 1.0)
            # TensorFlow's backend hands `update_step` the variable inside, others the outer one.
            self._factor_of[id(variable)] = self._factor_of[id(variable.value)] = factor

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one weight."""
        super().update_step(gradient, variable, learning_rate * self._factor_of[id(variable)])

    def get_config(self) -> dict[str, Any]:
        """Everything needed to build the optimizer again."""
        return {**super().get_config(), "factors": self.factors}
