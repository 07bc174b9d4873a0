"""Warm-started search with a plain Keras Tuner tuner, from one notebook to the next.

Two small tasks: to tell the handwritten digits 0 to 4 apart, then 5 to 9. The search on the first
starts from nothing; the one on the second starts from what the first one learned. Run it with
`./dev python examples/warm_start.py`, or cell by cell: a line `# %%` begins a cell.
"""

# %% The data
import tempfile

import keras
import keras_tuner
import numpy as np
from sklearn.datasets import load_digits

from graft import PastSearch, WarmStartOracle

TRIALS = 8
PROJECTS = tempfile.mkdtemp(prefix="warm-start-")

images, digits = load_digits(return_X_y=True)


def task(first: int) -> dict[str, object]:
    """Five digits: 500 images to train on, the others to validate on."""
    chosen = np.flatnonzero((digits >= first) & (digits < first + 5))
    x, y = images[chosen] / 16.0, digits[chosen] - first
    return {"x": x[:500], "y": y[:500], "validation_data": (x[500:], y[500:])}


# %% The model, as for any Keras Tuner search
def build_model(hp: keras_tuner.HyperParameters) -> keras.Model:
    """One hidden layer."""
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(hp.Int("units", 8, 128, step=8), hp.Choice("act", ["relu", "tanh"])),
            keras.layers.Dropout(hp.Float("dropout", 0.0, 0.6)),
            keras.layers.Dense(5, "softmax"),
        ]
    )
    optimizer = keras.optimizers.Adam(hp.Float("learning_rate", 1e-5, 1e-1, sampling="log"))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def search(name: str, first: int, past: list[PastSearch]) -> WarmStartOracle:
    """Searches on five digits; keeps its trials in the project `name`."""
    keras.utils.set_random_seed(1)
    oracle = WarmStartOracle("val_accuracy", TRIALS, past, seed=1)
    tuner = keras_tuner.Tuner(oracle, build_model, directory=PROJECTS, project_name=name)
    tuner.search(**task(first), epochs=4, batch_size=32, verbose=0)
    scores = [oracle.trials[number].score for number in oracle.end_order]
    print(f"{name}: validation accuracy of each trial", *(f"{score:.3f}" for score in scores))
    return oracle


# %% A search that starts from nothing
first_search = search("digits 0 to 4", 0, past=[])

# %% The same again, as another notebook would find it
# Keras Tuner reads a finished project back, and the search is an earlier one to learn from. (The
# history of a `graft run` is another: `PastSearch.from_history(load_history(path), "clothing")`,
# with `load_history` from `graft`.)
reloaded = search("digits 0 to 4", 0, past=[])
past = [PastSearch.from_oracle(reloaded, "digits 0 to 4")]

# %% A search that starts from there
second_search = search("digits 5 to 9", 5, past)
contribution = second_search.contribution()
print(contribution.words)
for source in contribution.sources:
    print(f"{source.name}: {source.words}")
print("Where each trial came from:", *(proposal.origin for proposal in contribution.proposals))
print("To be chosen:", second_search.recommend().hyperparameters.values)
