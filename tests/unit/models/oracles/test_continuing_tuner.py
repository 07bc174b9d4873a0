import keras
import keras_tuner
import numpy as np
import pytest

from models.oracles.continuing_tuner import ContinuingTuner
from models.oracles.freeze_thaw_oracle import CONTINUES, EPOCHS, INITIAL_EPOCH, FreezeThawOracle


def _build(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "softmax")])
    rate = hp.Float("rate", 1e-3, 1.0, sampling="log")
    model.compile(
        keras.optimizers.SGD(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        run_eagerly=True,  # two steps an epoch do not pay for a graph
    )
    return model


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 4)).astype(np.float32)
    return x, (x[:, 0] + x[:, 1] > 0).astype(np.int64)


def _search(folder, data, trials, kind=ContinuingTuner):
    keras.utils.set_random_seed(1)
    oracle = FreezeThawOracle("val_loss", max_trials=trials, max_epochs=4, candidates=5, seed=2)
    tuner = kind(oracle, _build, directory=folder, project_name="search")
    x, y = data
    tuner.search(x[:100], y[:100], validation_data=(x[100:], y[100:]), batch_size=50, verbose=0)
    return tuner


@pytest.fixture(scope="module")
def oracle(tmp_path_factory, data):
    """After twelve trials."""
    return _search(tmp_path_factory.mktemp("twelve"), data, 12).oracle


def test_a_trial_goes_on_with_the_weights_of_the_one_before(oracle):
    continued = [
        trial for trial in oracle.trials.values() if CONTINUES in trial.hyperparameters.values
    ]
    assert continued
    for trial in continued:
        values = trial.hyperparameters.values
        earlier = oracle.trials[values[CONTINUES]]
        assert values[INITIAL_EPOCH] == earlier.hyperparameters.values[EPOCHS]
        # Gradient descent on so easy a problem goes down from where it was.
        assert trial.score < earlier.score


def test_each_epoch_is_reported(oracle):
    curves = oracle.as_task("this").curves
    assert sum(curve.epochs for curve in curves) == sum(
        trial.hyperparameters.values[EPOCHS] - trial.hyperparameters.values[INITIAL_EPOCH]
        for trial in oracle.trials.values()
    )
    longest = max(curves, key=lambda curve: curve.epochs)
    assert len(set(longest.scores)) == longest.epochs


def test_a_finished_project_is_taken_up_again(tmp_path, data):
    first = _search(tmp_path, data, 5).oracle
    second = _search(tmp_path, data, 8).oracle
    assert len(second.trials) == 8
    assert [second.trials[each].score for each in first.end_order] == [
        first.trials[each].score for each in first.end_order
    ]


def test_a_tuner_that_knows_of_no_epochs_ends_too(tmp_path, data):
    oracle = _search(tmp_path, data, 4, keras_tuner.Tuner).oracle
    assert len(oracle.end_order) == 4
