"""Alibi-Detect's online MMD on the streams of `peer_streams`, image by image.

    python3.11 -m venv VENV && VENV/bin/pip install 'alibi-detect[tensorflow]==0.13.0'
    VENV/bin/python benchmarks/monitoring/alibi_online.py benchmarks/out/monitoring/streams

Its one setting is the expected run time (ERT), the images up to a false alarm: 150 as in its
examples, and the longest that as many simulations tell as a minute allows. A rarer false alarm
needs ten times as many simulations as images.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from alibi_detect.cd import MMDDriftOnline
from peer_streams import PeerStream, measure

_WINDOW = 20
_COMPONENTS = 16
_RUN_TIMES = {"online MMD, ERT 150": (150, 1_500), "online MMD, ERT 2000": (2_000, 20_000)}
"""Images up to a false alarm, and simulations."""


def _first_alarm(stream: PeerStream, run_time: int, simulations: int) -> int | None:
    np.random.seed(0)  # the tool draws from the global generator
    tf.random.set_seed(0)
    detector = MMDDriftOnline(
        stream.reference[:, :_COMPONENTS],
        ert=run_time,
        window_size=_WINDOW,
        backend="tensorflow",
        n_bootstraps=simulations,
        verbose=False,
    )
    for number, image in enumerate(stream.images[:, :_COMPONENTS]):
        if detector.predict(image)["data"]["is_drift"]:
            return number + 1 - stream.change
    return None


if __name__ == "__main__":
    measure(
        Path(sys.argv[1]),
        {
            name: lambda stream, setting=setting: _first_alarm(stream, *setting)
            for name, setting in _RUN_TIMES.items()
        },
    )
