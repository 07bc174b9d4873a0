"""The garbage collector, while TensorFlow is imported and then."""

import gc

import pytest

from models.large_imports import large_imports


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
