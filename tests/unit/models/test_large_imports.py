"""The garbage collector, while TensorFlow is imported and then."""

import gc
import subprocess
import sys

import pytest

from models.large_imports import large_imports, thawed_after


def test_it_waits_and_passes_over_what_came() -> None:
    before = gc.get_freeze_count()
    with large_imports():
        assert not gc.isenabled()
        came = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(came)
    assert not any(each is came for each in gc.get_objects())


def test_it_goes_on_after_an_import_that_failed() -> None:
    with pytest.raises(ImportError), large_imports():
        raise ImportError
    assert gc.isenabled()


def test_it_stays_off_where_it_was() -> None:
    gc.disable()
    try:
        with large_imports():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_garbage_of_a_program_that_calls_a_run_is_collected_afterwards() -> None:
    # Its own process: nothing is frozen there yet.
    program = """
import gc, weakref
from models.large_imports import large_imports, thawed_after

class Model:
    pass

def made():
    model = Model()
    model.itself = model
    return model

model = made()
with thawed_after():
    with large_imports():
        pass
    assert gc.get_freeze_count()
seen = weakref.ref(model)
del model
gc.collect()
assert seen() is None
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_a_program_has_frozen_itself_stays_so() -> None:
    gc.freeze()
    with thawed_after():
        pass
    assert gc.get_freeze_count()
