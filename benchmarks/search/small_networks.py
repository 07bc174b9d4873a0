"""Tables of small networks on scikit-learn's data sets: configurations and what they came to.

Twelve tasks of seven hyperparameters, in a space whose ranges are as wide as a careless notebook's.
A table takes some 10 seconds to make, once.
"""

import json
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from models.history.past_search import PastSearch
from models.history.search_space import Values
from models.storage.atomic_write import write_atomically

_EPOCHS = 8
_MOST_TRAINED = 400

Sample = tuple[NDArray[Any], NDArray[Any]]


def space() -> keras_tuner.HyperParameters:
    """What is searched."""
    made = keras_tuner.HyperParameters()
    made.Float("rate", 1e-4, 1.0, sampling="log")
    made.Float("alpha", 1e-6, 10.0, sampling="log")
    made.Float("momentum", 0.0, 0.99)
    made.Int("units", 2, 128, sampling="log")
    made.Choice("batch", [8, 32, 128])
    made.Choice("activation", ["logistic", "relu", "tanh"])
    made.Boolean("adam")
    return made


def tables(folder: Path, rows: int) -> list[PastSearch]:
    """The tables of all tasks, made where the folder does not have them.

    Args:
        folder: that keeps them.
        rows: of each table.
    """
    return [_table(folder / f"{name}-{rows}.json", name, data, rows) for name, data in _tasks()]


def _table(path: Path, name: str, data: Sample, rows: int) -> PastSearch:
    if not path.exists():
        drawn = list(_draw(rows, seed=zlib.crc32(name.encode())))
        kept = [[values, _accuracy(values, data)] for values in drawn]
        write_atomically(path, json.dumps(kept).encode())
    kept = json.loads(path.read_text())
    values, scores = zip(*kept, strict=True)
    return PastSearch(name, values, np.array(scores))


def _draw(count: int, seed: int) -> Iterator[Values]:
    generator = np.random.default_rng([seed, count])
    for _ in range(count):
        yield {hp.name: hp.prob_to_value(float(generator.random())) for hp in space().space}


def _tasks() -> Iterator[tuple[str, Sample]]:
    images, digits = load_digits(return_X_y=True)
    generator = np.random.default_rng(0)
    for classes in (3, 4, 5, 6, 7, 8, 10):
        chosen = np.isin(digits, generator.permutation(10)[:classes])
        yield f"{classes} digits", (images[chosen], digits[chosen])
    yield "odd or even", (images, digits % 2)
    yield "5 or more", (images, (digits >= 5).astype(int))
    yield "rows of digits", (images.reshape(-1, 8, 8).mean(axis=2), digits)
    yield "wine", load_wine(return_X_y=True)
    yield "breast cancer", load_breast_cancer(return_X_y=True)


def _accuracy(values: Values, data: Sample) -> float:
    features, labels = data
    trained = min(_MOST_TRAINED, len(labels) // 2)
    x, held, y, held_y = train_test_split(features, labels, train_size=trained, random_state=0)
    scaler = StandardScaler().fit(x)
    network = MLPClassifier(
        (int(values["units"]),),
        activation=str(values["activation"]),
        solver="adam" if values["adam"] else "sgd",
        alpha=float(values["alpha"]),
        batch_size=min(int(values["batch"]), trained),
        learning_rate_init=float(values["rate"]),
        momentum=float(values["momentum"]),
        max_iter=_EPOCHS,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            network.fit(scaler.transform(x), y)
        except ValueError:  # Its weights are no numbers any more.
            return 0.0
    return float(network.score(scaler.transform(held), held_y))
