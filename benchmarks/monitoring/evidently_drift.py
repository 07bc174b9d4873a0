"""Evidently's drift of embeddings with its defaults, on windows of 50 images; see `peer_streams`.

    python3.11 -m venv VENV && VENV/bin/pip install evidently==0.7.23 'pandas<3'
    VENV/bin/python benchmarks/monitoring/evidently_drift.py benchmarks/out/monitoring/streams

By default it trains a classifier of reference and window, and compares its AUC with that of random
guesses (below 1,000 images of the reference) or with 0.55.
"""

import sys
import warnings
from pathlib import Path

import pandas as pd
from evidently.legacy.metrics.data_drift.embedding_drift_methods import model
from peer_streams import PeerStream, first_window, measure

_FEW = 1_000
"""As `EmbeddingsDriftMetric` decides, which also draws each window."""


def _is_alarm(stream: PeerStream, rows: slice) -> bool:
    method = model(bootstrap=len(stream.reference) < _FEW)
    _, detected, _ = method(pd.DataFrame(stream.images[rows]), pd.DataFrame(stream.reference))
    return bool(detected)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of pandas, of each window
    measure(Path(sys.argv[1]), {"Evidently": lambda stream: first_window(stream, _is_alarm)})
