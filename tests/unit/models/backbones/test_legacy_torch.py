"""The reader is checked on files made here, byte by byte as the format has it."""

import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.backbones.legacy_torch import read_state_dict
from models.errors import UsageError

MAGIC = 0x1950A86A20F9469CFC6C
SYSTEM = {"protocol_version": 1001, "little_endian": True}


class _Reference:
    """What a tensor's pickle says of its storage."""

    def __init__(self, key: str, kind: str, count: int) -> None:
        self.content = ("storage", _Global("torch", kind), key, "cpu", count, None)


class _Global:
    """A name that the pickle refers to."""

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name


class _Tensor:
    """A call of torch's rebuild function."""

    def __init__(self, reference: _Reference, offset: int, shape: Any, strides: Any) -> None:
        self.arguments: tuple[Any, ...] = (reference, offset, shape, strides, False, OrderedDict())


# The pure Python pickler lets a name be written that is not there; its types are not declared.
_Pickler: Any = pickle._Pickler


class _Writer(_Pickler):
    """Writes state dicts without torch."""

    def persistent_id(self, thing: Any) -> Any:
        return thing.content if isinstance(thing, _Reference) else None

    def save(self, thing: Any, save_persistent_id: bool = True) -> None:
        if isinstance(thing, _Global):
            self.write(pickle.GLOBAL + f"{thing.module}\n{thing.name}\n".encode())
        elif isinstance(thing, _Tensor):
            self.save(_Global("torch._utils", "_rebuild_tensor_v2"))
            self.save(thing.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(thing, save_persistent_id)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(state: Any, storages: dict[str, np.ndarray], magic: int = MAGIC) -> Path:
        path = tmp_path / "weights.pth"
        with path.open("wb") as file:
            for thing in (magic, 1001, SYSTEM, state, list(storages)):
                _Writer(file, protocol=2).dump(thing)
            for values in storages.values():
                file.write(values.size.to_bytes(8, "little") + values.tobytes())
        return path

    return write


def test_permuted_strides_are_honoured(write: Callable[..., Path]) -> None:
    logical = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    stored = np.ascontiguousarray(logical.transpose(2, 0, 1))  # as after a permute
    padded = np.concatenate([np.full(5, -1, np.float32), stored.ravel()])
    tensor = _Tensor(_Reference("0", "FloatStorage", 29), 5, (2, 3, 4), (3, 1, 6))
    state = read_state_dict(write(OrderedDict(weight=tensor), {"0": padded}))
    np.testing.assert_array_equal(state["weight"], logical)
    assert state["weight"].flags.c_contiguous


def test_scalars_integers_and_shared_storages(write: Callable[..., Path]) -> None:
    count = np.array([7], np.int64)
    halves = np.array([1.5, 2.5], np.float16)
    shared = _Reference("b", "HalfStorage", 2)
    state = read_state_dict(
        write(
            OrderedDict(
                count=_Tensor(_Reference("a", "LongStorage", 1), 0, (), ()),
                first=_Tensor(shared, 0, (1,), (1,)),
                second=_Tensor(shared, 1, (1,), (1,)),
            ),
            {"a": count, "b": halves},
        )
    )
    assert state["count"] == 7
    assert state["count"].shape == ()
    assert (state["first"][0], state["second"][0]) == (1.5, 2.5)


def test_a_hostile_pickle_is_refused_and_not_run(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    class Hostile:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "harm",)

    with pytest.raises(UsageError, match="not allowed"):
        read_state_dict(write(OrderedDict(weight=Hostile()), {}))
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("name", [("builtins", "eval"), ("torch", "load"), ("os", "system")])
def test_other_names_are_refused(write: Callable[..., Path], name: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="not allowed"):
        read_state_dict(write({"weight": _Global(*name)}, {}))


def test_a_tensor_outside_its_storage_is_refused(write: Callable[..., Path]) -> None:
    values = np.zeros(4, np.float32)
    tensor = _Tensor(_Reference("0", "FloatStorage", 4), 0, (2, 2), (1000, 1))
    with pytest.raises(UsageError, match="outside its storage"):
        read_state_dict(write(OrderedDict(weight=tensor), {"0": values}))


def test_a_file_cut_short_is_refused(write: Callable[..., Path]) -> None:
    values = np.zeros(100, np.float32)
    tensor = _Tensor(_Reference("0", "FloatStorage", 100), 0, (100,), (1,))
    path = write(OrderedDict(weight=tensor), {"0": values})
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(UsageError, match="middle of a tensor"):
        read_state_dict(path)


def test_other_files_are_refused(write: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="magic number"):
        read_state_dict(write(OrderedDict(), {}, magic=1))
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(UsageError, match=r"text\.pth"):
        read_state_dict(tmp_path / "text.pth")
    with pytest.raises(UsageError, match=r"absent\.pth"):
        read_state_dict(tmp_path / "absent.pth")
