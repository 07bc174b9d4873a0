"""What the machine offers: memory growth and half precision where there is a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

import keras
import tensorflow as tf

FULL_PRECISION = "float32"
MIXED_PRECISION = "mixed_float16"


def prepare_device() -> int:
    """Lets TensorFlow take GPU memory as it needs it instead of all at once.

    Returns:
        Number of GPUs.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # Too late once TensorFlow runs on it; what set it up then has decided.
        with suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)
    return len(gpus)


def precision(setting: Literal["auto", "on", "off"], gpus: int) -> str:
    """The Keras policy to compute in; "auto" is half precision where there is a GPU."""
    mixed = setting == "on" or (setting == "auto" and gpus > 0)
    return MIXED_PRECISION if mixed else FULL_PRECISION


@contextmanager
def computing_in(policy: str) -> Iterator[None]:
    """Builds the models of the block under a Keras policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
