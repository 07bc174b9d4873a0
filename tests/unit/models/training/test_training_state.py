"""When the state of a training is saved, and when not."""

import time
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from models.training import training_state
from models.training.training_state import PausedError, TrainingState

CLASSES = np.array([0, 1, 0, 1])


@pytest.fixture
def model() -> keras.Model:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    return model


def state_of(model: keras.Model, file: Path, pause_after: int | None = None) -> TrainingState:
    state = TrainingState(file, CLASSES, epochs=9, patience=9, pause_after=pause_after)
    state.validate_by(lambda: np.eye(2, dtype=np.float32)[CLASSES])
    state.set_model(model)
    return state


def epoch(state: TrainingState, number: int, loss: float = 1.0) -> None:
    state.on_epoch_begin(number)
    for batch in range(3):
        state.on_train_batch_end(batch)
    state.on_epoch_end(number, {"loss": loss})


def test_a_training_under_way_is_saved_now_and_then(
    model: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "state.npz"
    state = state_of(model, file)
    for number in range(3):
        epoch(state, number)
    assert not file.exists()
    monkeypatch.setattr(training_state, "SAVE_SECONDS", 0.0)
    state.on_epoch_begin(3)
    again = state_of(model, file)
    again.restore(model)
    assert len(again.history.epochs) == again.history.resumed_from == 3
    assert all(each["seconds"] > 0 for each in again.history.epochs)


def test_a_training_that_pauses_is_saved_then(model: keras.Model, tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    state = state_of(model, file, pause_after=2)
    epoch(state, 0)
    epoch(state, 1)
    assert state.is_over
    with pytest.raises(PausedError):
        state.on_epoch_begin(2)
    again = state_of(model, file, pause_after=2)
    again.restore(model)
    assert again.is_over
    assert not again.history.finished
    assert not state_of(model, file, pause_after=4).is_over


def test_the_end_is_saved(model: keras.Model, tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    state = state_of(model, file)
    epoch(state, 0)
    state.on_train_end()
    again = state_of(model, file)
    again.restore(model)
    assert again.history.finished


def test_what_tensorflow_traces_is_no_part_of_an_epoch_of_one_batch(
    model: keras.Model, tmp_path: Path
) -> None:
    state = TrainingState(tmp_path / "state.npz", CLASSES, epochs=9, patience=9, images=8)

    def validate() -> NDArray[np.float32]:
        time.sleep(0.01)
        return np.eye(2, dtype=np.float32)[CLASSES]

    state.validate_by(validate)
    state.set_model(model)
    for number, seconds in enumerate((0.5, 0.1)):
        state.on_epoch_begin(number)
        time.sleep(seconds)
        state.on_train_batch_end(0)
        state.on_epoch_end(number, {"loss": 1.0})
    first, second = (each["seconds"] for each in state.history.epochs)
    # Two passes of the validation images, forwards and backwards.
    assert 0.04 < first < 0.4
    assert second > 0.1


@pytest.mark.parametrize(
    ("loss", "gain", "trained"), [(1e-4, 1e-4, 4), (1e-4, 0.3, 9), (0.5, 1e-4, 9)]
)
def test_once_images_are_learned_epochs_have_to_gain_something(
    model: keras.Model, tmp_path: Path, loss: float, gain: float, trained: int
) -> None:
    state = TrainingState(tmp_path / "state.npz", CLASSES, epochs=9, patience=9, last_patience=3)
    state.set_model(model)
    model.stop_training = False
    surer = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 0.0]], np.float32)
    for number in range(9):
        # Its one wrong answer is given with less and less confidence, a little of it an epoch.
        surer[3] = [2.0 - gain * number, 0.0]
        state.validate_by(surer.copy)
        epoch(state, number, loss if number > 1 else 1.0)
        if model.stop_training:
            break
    assert len(state.history.epochs) == trained
    assert state.history.best_epoch == trained - 1
