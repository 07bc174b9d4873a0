"""Fine-tuning's optimizer with what the literature adds, each for its arm of the comparison."""

from typing import Any, NamedTuple

import tensorflow as tf

from models.training.one_pass_adamw import OnePassAdamW


class Steering(NamedTuple):
    """What an arm adds.

    Attributes:
        pull: towards the weights that training began with, a share of the rate (X. Li et al.,
            "Explicit Inductive Bias for Transfer Learning with Convolutional Networks", ICML 2018:
            L2-SP; decoupled from the gradient, as AdamW's decay is).
        bottom_rate: share of the rate that the lowest trained layer has; those between have shares
            that grow by a factor (J. Howard and S. Ruder, "Universal Language Model Fine-tuning for
            Text Classification", ACL 2018: discriminative fine-tuning).
        thaw_steps: after which the next lower third of the trained layers joins; 0 for all at once
            (the same paper: gradual unfreezing).
    """

    pull: float = 0.0
    bottom_rate: float = 1.0
    thaw_steps: float = 0.0


class Dials:
    """The steering of the next training; variables, so that all arms share one trace."""

    def __init__(self) -> None:
        """Adds nothing."""
        self.values = [tf.Variable(each, dtype=tf.float32) for each in Steering()]

    def turn(self, steering: Steering) -> None:
        """Takes the steering of an arm."""
        for dial, value in zip(self.values, steering, strict=True):
            dial.assign(value)


def steered(dials: Dials) -> type[OnePassAdamW]:
    """The optimizer to take the place of the one that fine-tuning makes."""

    class SteeredAdamW(OnePassAdamW):
        def build(self, variables: Any) -> None:
            super().build(variables)
            self._begun = [tf.constant(each.numpy()) for each in variables]

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            place = self._get_variable_index(variable)
            depth = 1.0 - place / max(1, len(self._begun) - 1)  # 1 at the bottom, 0 at the top
            pull, bottom_rate, thaw_steps = dials.values
            thawed = tf.cast(self.iterations, tf.float32) >= min(2, int(3 * depth)) * thaw_steps
            rate = learning_rate * bottom_rate**depth * tf.cast(thawed, tf.float32)
            super().update_step(gradient, variable, rate)
            variable.assign_sub(learning_rate * pull * (variable - self._begun[place]))

    return SteeredAdamW
