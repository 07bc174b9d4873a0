"""A search within a budget of seconds, with Keras Tuner and learning curves of the past.

Two tasks: to tell the handwritten digits 0 to 4 apart, then 5 to 9. The search on the first starts
from nothing: the cheapest configurations first, the better half goes on. The one on the second has
learned from its curves how configurations begin, how they go on and what they cost. Run it with
`./dev python examples/joint_search.py`, or cell by cell: a line `# %%` begins a cell.
"""

# %% The data
import tempfile

import keras
import keras_tuner
import numpy as np
from sklearn.datasets import load_digits

from models.curves.learning_curve import CurveTask
from models.oracles.continuing_tuner import ContinuingTuner
from models.oracles.freeze_thaw_oracle import FreezeThawOracle

BUDGET = 60.0
EPOCHS = 16
PROJECTS = tempfile.mkdtemp(prefix="joint-search-")

images, digits = load_digits(return_X_y=True)


def data(first: int) -> dict[str, object]:
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
            keras.layers.Dense(hp.Int("units", 8, 512, step=8), hp.Choice("act", ["relu", "tanh"])),
            keras.layers.Dropout(hp.Float("dropout", 0.0, 0.6)),
            keras.layers.Dense(5, "softmax"),
        ]
    )
    optimizer = keras.optimizers.Adam(hp.Float("learning_rate", 1e-5, 1e-1, sampling="log"))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %% A search: each trial is a stretch of epochs, and may go on where an earlier one ended
def search(name: str, first: int, past: list[CurveTask]) -> FreezeThawOracle:
    """Searches on five digits; keeps its trials in the project `name`."""
    keras.utils.set_random_seed(1)
    oracle = FreezeThawOracle(
        "val_accuracy",
        BUDGET,
        past,
        task=CurveTask(name, size=500, description={"classes": 5}),
        max_epochs=EPOCHS,
        seed=1,
    )
    tuner = ContinuingTuner(oracle, build_model, directory=PROJECTS, project_name=name)
    tuner.search(**data(first), batch_size=32, verbose=0)
    print(
        f"{name}: {len(oracle.end_order)} stretches in {oracle.spent:.0f} of {BUDGET:.0f} seconds"
    )
    best = 0.0
    for number in oracle.end_order:
        trial = oracle.trials[number]
        values = trial.hyperparameters.values
        best = max(best, trial.score)
        print(
            f"  to epoch {values['tuner/epochs']:2d} at rate {values['learning_rate']:.5f}: "
            f"{trial.score:.3f}, best so far {best:.3f}"
        )
    return oracle


# %% From nothing, then from what the first search learned
first_search = search("digits 0 to 4", 0, past=[])
second_search = search("digits 5 to 9", 5, past=[first_search.as_task("digits 0 to 4")])
print("The past helped:", second_search.trusts_past)
best_trial = second_search.get_best_trials()[0]
print("The best configuration:", best_trial.hyperparameters.values)
