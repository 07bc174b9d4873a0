"""Imports of TensorFlow and TFX, whose modules are millions of objects."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def large_imports() -> Iterator[None]:
    """Has the garbage collector wait, and pass over all that is there in the end.

    Nothing of it is garbage. To look through it takes a fifth of the time of the imports, and then
    up to a second for each model that Keras builds.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
