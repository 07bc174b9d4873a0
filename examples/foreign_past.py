"""A search with Keras Tuner that starts from what another tuner found.

Two small tasks: to tell the handwritten digits 0 to 4 apart, then 5 to 9. A random search with
scikit-learn was made on the first and left a table, in which the learning rate is called `lr`. The
search on the second starts from that table. What Keras Tuner, Optuna, Ray Tune, Hyperopt or MLflow
left is imported by the same line (docs/KNOWLEDGE.md). Run it with
`./dev python examples/foreign_past.py`, or cell by cell: a line `# %%` begins a cell.
"""

# %% The data
import csv
import json
import tempfile
from pathlib import Path

import keras
import keras_tuner
import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import ParameterSampler
from sklearn.neural_network import MLPClassifier

from graft import PastSearch, WarmStartOracle, import_histories
from models.history.optuna_export import best_first

FOLDER = Path(tempfile.mkdtemp(prefix="foreign-past-"))

images, digits = load_digits(return_X_y=True)


def task(first: int) -> tuple[np.ndarray, np.ndarray]:
    """Five digits: 500 images to train on, the others to validate on."""
    chosen = np.flatnonzero((digits >= first) & (digits < first + 5))
    return images[chosen] / 16.0, digits[chosen] - first


# %% What somebody did elsewhere, in their words
def their_trial(lr: float, units: int, act: str) -> float:
    """Validation accuracy of one hidden layer."""
    x, y = task(0)
    network = MLPClassifier(
        (units,), activation=act, learning_rate_init=lr, batch_size=32, random_state=1
    )
    for _ in range(4):
        network.partial_fit(x[:500], y[:500], classes=range(5))
    return network.score(x[500:], y[500:])


ranges = {"lr": loguniform(1e-5, 1e-1), "units": range(8, 129, 8), "act": ["relu", "tanh"]}
with (FOLDER / "theirs.csv").open("w", newline="") as file:
    table = csv.writer(file)
    table.writerow([*ranges, "val_accuracy"])
    for tried in ParameterSampler(ranges, 25, random_state=1):
        table.writerow([*(tried[name] for name in ranges), their_trial(**tried)])

# %% Their table as a past, in the words of a new search
imported = import_histories(FOLDER / "theirs.csv", target=["learning_rate", "units", "act"])
print(*imported.notes, sep="\n")
(history,) = imported.histories
print(f"The best of theirs: {history.best.score:.3f} with {history.best.values}")
past = [PastSearch.from_history(history, "theirs")]


# %% A search that starts from there
def build_model(hp: keras_tuner.HyperParameters) -> keras.Model:
    """One hidden layer."""
    units, act = hp.Int("units", 8, 128, step=8), hp.Choice("act", ["relu", "tanh"])
    layers = [keras.Input((64,)), keras.layers.Dense(units, act), keras.layers.Dense(5, "softmax")]
    model = keras.Sequential(layers)
    optimizer = keras.optimizers.Adam(hp.Float("learning_rate", 1e-5, 1e-1, sampling="log"))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


keras.utils.set_random_seed(1)
x, y = task(5)
oracle = WarmStartOracle("val_accuracy", max_trials=6, past=past, seed=1)
tuner = keras_tuner.Tuner(oracle, build_model, directory=FOLDER, project_name="ours")
tuner.search(
    x[:500], y[:500], validation_data=(x[500:], y[500:]), epochs=4, batch_size=32, verbose=0
)
for number, proposal in zip(oracle.end_order, oracle.contribution().proposals, strict=True):
    trial = oracle.trials[number]
    print(f"{trial.score:.3f} ({proposal.origin}) with {trial.hyperparameters.values}")
contribution = oracle.contribution()
print(contribution.words)
for source in contribution.sources:
    print(f"{source.name}: {source.words}")

# %% Their past for Optuna: `study.enqueue_trial` takes each of these, the best first
print("First for Optuna:", json.dumps(best_first(history, {"learning_rate": "lr"})[0]))
