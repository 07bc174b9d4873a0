"""Several devices of one machine that share the work of each step of fine-tuning."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.training.training_settings import Devices


class Replicas:
    """Copies of a model, each on a device of its own, that are always equal.

    Each is given its share of a batch, and the sum of their gradients changes all of them: what one
    device makes of the whole batch, rounded otherwise (TensorFlow's `MirroredStrategy`). Only
    devices of one machine: with several, Keras 3 cannot train a model that it compiled.
    """

    def __init__(self, wanted: Devices, batch_size: int) -> None:
        """Chooses the devices.

        Args:
            wanted: one, or all GPUs (without any, all that TensorFlow makes of the processors).
            batch_size: images a step; no device goes without one.
        """
        self._devices = [_names()[0]] if wanted == "one" else _names()[:batch_size]
        self._asked = wanted == "all"
        self._strategy = tf.distribute.MirroredStrategy(self._devices) if len(self) > 1 else None

    def __len__(self) -> int:
        """Number of devices."""
        return len(self._devices)

    @property
    def note(self) -> tuple[str, ...]:
        """What several devices were asked for and came to, in words; empty for one, as usual."""
        if not self._asked:
            return ()
        if self._strategy is None:
            return ("all devices were asked for; one is used",)
        return (f"each step was shared by {len(self)} devices: {', '.join(self._devices)}",)

    def scope(self) -> AbstractContextManager[Any]:
        """What is built and compiled in this block has its weights on all devices."""
        return self._strategy.scope() if self._strategy else nullcontext()

    def train_on_batch(
        self,
        model: keras.Model,
        inputs: NDArray[np.float32],
        targets: NDArray[np.float32],
        weights: NDArray[np.float32],
    ) -> dict[str, float]:
        """One step of training.

        Args:
            model: built and compiled in `scope`.
            inputs: [b, ...], at least one for each device.
            targets: [b, k].
            weights: of each input, [b].

        Returns:
            The metrics of this batch by name.
        """
        if self._strategy is None:
            logs: dict[str, float] = model.train_on_batch(
                inputs, targets, weights, return_dict=True
            )
            return logs
        batch = (inputs, targets, weights * self._corrections(len(weights)))
        if model.train_function is None:
            self._build_metrics(model, targets)
            model.make_train_function()
        model.reset_metrics()
        # `train_on_batch` would give the whole of a batch to every device.
        found = model.train_function(iter([tuple(map(self._shared, batch))]))
        return {name: float(value) for name, value in found.items()}

    def _corrections(self, images: int) -> NDArray[np.float32]:
        """Factors of the weights, [b], for shares that are not equal.

        Keras takes the mean over each share, and the mean of those.
        """
        shares = np.array_split(np.ones(images, np.float32), len(self))
        return np.concatenate([share * (len(share) * len(self) / images) for share in shares])

    def _shared(self, values: NDArray[np.float32]) -> Any:
        assert self._strategy is not None
        with tf.device("CPU:0"):
            shares = [tf.constant(share) for share in np.array_split(values, len(self))]
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: shares[context.replica_id_in_sync_group]
        )

    def _build_metrics(self, model: keras.Model, targets: NDArray[np.float32]) -> None:
        """Makes their variables, which cannot be made on each device in the midst of a step."""
        with self.scope():
            model.compute_metrics(None, targets, targets, None)


def _names() -> list[str]:
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in found]
