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


@contextmanager
def thawed_after() -> Iterator[None]:
    """Has the collector look at everything again in the end, where it did so before.

    For a process that is not Graft's own: what its program has, such as models, may be garbage yet.
    """
    was_thawed = not gc.get_freeze_count()
    try:
        yield
    finally:
        if was_thawed:
            gc.unfreeze()
