"""The monitor's memory."""

from pathlib import Path

import numpy as np
import pytest

from models.storage.seals import write_sealed
from monitoring.state import State, joined, part_of, read_state, write_state


@pytest.fixture
def state() -> State:
    arrays = joined({"a": {"x": np.arange(3, dtype=np.int8)}, "b": {"x": np.zeros((2, 2))}})
    return State({"versions": {"3": "d"}}, arrays)


def test_it_comes_back_as_it_was(state: State, tmp_path: Path) -> None:
    write_state(tmp_path / "state", state)
    found = read_state(tmp_path / "state")
    assert found is not None
    assert found.texts == state.texts
    assert part_of(found.arrays, "a")["x"].dtype == np.int8
    assert part_of(found.arrays, "b")["x"].shape == (2, 2)


def test_the_same_state_makes_the_same_bytes(state: State, tmp_path: Path) -> None:
    write_state(tmp_path / "one", state)
    other_order = State(state.texts, dict(reversed(list(state.arrays.items()))))
    write_state(tmp_path / "two", other_order)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_what_is_damaged_or_of_another_program_is_no_state(state: State, tmp_path: Path) -> None:
    file = tmp_path / "state"
    assert read_state(file) is None
    write_state(file, state)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert read_state(file) is None
    write_sealed(file, b"something else")
    assert read_state(file) is None
