"""What the machine offers: memory growth and half precision where there is a GPU."""

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
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


def machine() -> dict[str, str | int]:
    """What the last bits of a sum depend on.

    Returns:
        `processor` by name, its `cores`, names of the `gpus` (empty for none), and `onednn`, as
        `TF_ENABLE_ONEDNN_OPTS` has it.
    """
    gpus = tf.config.list_physical_devices("GPU")
    details = (tf.config.experimental.get_device_details(gpu) for gpu in gpus)
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "gpus": ", ".join(str(each.get("device_name", "GPU")) for each in details),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", ""),
    }


def _processor() -> str:
    with suppress(OSError):
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()


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
