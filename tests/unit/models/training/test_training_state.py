"""When the state of a training is saved, and when not."""

from pathlib import Path

import keras
import numpy as np
import pytest

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


def epoch(state: TrainingState, number: int) -> None:
    state.on_epoch_begin(number)
    for batch in range(3):
        state.on_train_batch_end(batch)
    state.on_epoch_end(number, {"loss": 1.0})


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
