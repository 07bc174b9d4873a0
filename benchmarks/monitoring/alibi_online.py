"""Alibi-Detect's online MMD on the streams of `peer_streams`, image by image.

    python3.11 -m venv VENV && VENV/bin/pip install 'alibi-detect[tensorflow]==0.13.0'
    VENV/bin/python benchmarks/monitoring/alibi_online.py benchmarks/out/monitoring/streams

The expected run time, the images up to a false alarm, is 150, and the window 20 images, as in its
own example. A rarer false alarm takes ten times as many simulations as images, for each reference.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from alibi_detect.cd import MMDDriftOnline
from peer_streams import PeerStream, measure

_WINDOW = 20
_COMPONENTS = 16
_RUN_TIME = 150


def _first_alarm(stream: PeerStream) -> int | None:
    np.random.seed(0)  # the tool draws from the global generator
    tf.random.set_seed(0)
    detector = MMDDriftOnline(
        stream.reference[:, :_COMPONENTS],
        ert=_RUN_TIME,
        window_size=_WINDOW,
        backend="tensorflow",
        verbose=False,
    )
    for number, image in enumerate(stream.images[:, :_COMPONENTS]):
        if detector.predict(image)["data"]["is_drift"]:
            return number + 1 - stream.change
    return None


if __name__ == "__main__":
    measure(Path(sys.argv[1]), {"Alibi-Detect, online MMD": _first_alarm})
