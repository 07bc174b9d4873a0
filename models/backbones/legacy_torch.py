"""Reading the tensors of a PyTorch file in the legacy format, without PyTorch.

The format (before PyTorch 1.6's zip files): three pickles (a magic number, a protocol version, the
writer's system), a pickle of the state dict in which every tensor refers to a storage by key, a
pickle of the list of those keys, and then for each key an int64 count of elements and the raw
little-endian data.

A pickle may run any code when it is read, so this reader resolves only the handful of names that a
state dict needs and refuses every other.
"""

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from models.errors import UsageError

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view into a storage: where it starts, and how many elements each axis steps."""

    storage_key: str
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, storages: dict[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        storage = storages[self.storage_key]
        last = self.offset + sum(
            (length - 1) * stride for length, stride in zip(self.shape, self.strides, strict=True)
        )
        if min((self.offset, *self.shape, *self.strides), default=0) < 0 or last >= storage.size:
            raise ValueError(f"a tensor of shape {self.shape} lies outside its storage")
        steps = tuple(stride * storage.itemsize for stride in self.strides)
        view = np.lib.stride_tricks.as_strided(
            storage[self.offset :], self.shape, steps, writeable=False
        )
        return np.ascontiguousarray(view).reshape(self.shape)


class _StateDictUnpickler(pickle.Unpickler):
    """An unpickler that knows the names of a state dict and no others."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which is not allowed")

    def persistent_load(self, reference: Any) -> Any:
        return reference


def _rebuild(
    storage: tuple[Any, ...], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> _Tensor:
    storage_type, key = str(storage[1]), str(storage[2])
    return _Tensor(key, _DTYPES[storage_type], offset, tuple(shape), tuple(strides))


def read_state_dict(path: str | Path) -> dict[str, np.ndarray[Any, Any]]:
    """Reads every tensor of a legacy PyTorch file.

    Strides are honoured: weights that were permuted before saving come out in their logical order.

    Args:
        path: the `.pth` file.

    Returns:
        Name to contiguous array, in the order of the file.

    Raises:
        UsageError: the file is missing, is of another format, is cut short, or asks for code.
    """
    try:
        with Path(path).open("rb") as file:
            return _read(file)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"cannot read weights from {path}: {error}") from error
    except (pickle.UnpicklingError, IndexError, ImportError) as error:
        raise UsageError(f"{path} is not a legacy PyTorch state dict: {error}") from error


def _read(file: BinaryIO) -> dict[str, np.ndarray[Any, Any]]:
    if _StateDictUnpickler(file).load() != _MAGIC:
        raise pickle.UnpicklingError("it does not begin with the magic number")
    for _ in ("protocol version", "system"):
        _StateDictUnpickler(file).load()
    state = _StateDictUnpickler(file).load()
    keys = _StateDictUnpickler(file).load()
    tensors = {name: value for name, value in state.items() if isinstance(value, _Tensor)}
    dtypes = {tensor.storage_key: tensor.dtype for tensor in tensors.values()}
    storages = {key: _read_storage(file, dtypes[key]) for key in keys}
    return {name: tensor.read(storages) for name, tensor in tensors.items()}


def _read_storage(file: BinaryIO, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    header = file.read(8)
    count = int.from_bytes(header, "little", signed=True)
    data = file.read(max(count, 0) * dtype.itemsize)
    if len(header) < 8 or count < 0 or len(data) < count * dtype.itemsize:
        raise ValueError("the file ends in the middle of a tensor")
    return np.frombuffer(data, dtype)
