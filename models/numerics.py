"""How a process computes, settled before TensorFlow is imported."""

import os


def compute_with_onednn() -> None:
    """Has TensorFlow compute with oneDNN, unless the environment says otherwise.

    For the start of a program, before TensorFlow is imported; processes that it starts inherit it.
    Left to TensorFlow, the choice goes by the processor. oneDNN rounds otherwise than TensorFlow's
    own code, so a program must not have one process with it and one without. Where TensorFlow
    would leave it out, embedding takes longer (`benchmarks/onednn.py`).
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
