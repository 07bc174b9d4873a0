import numpy as np
import pytest
from served_digits import served_digits

from models.observation.reference import Reference
from monitoring.data_faults import Traffic, data_faults


def warm_reference(warmth: np.ndarray) -> Reference:
    """The digits' reference, as if its pictures had colours."""
    reference = served_digits().reference
    kept = {name: getattr(reference, name) for name in reference.__dataclass_fields__}
    signals = reference.signals.copy()
    signals[:, 4] = warmth[: len(signals)]
    return Reference(**{**kept, "signals": signals})


def with_warmth(warmth: np.ndarray, count: int):
    observed = served_digits().observe(served_digits().pictures[:count])
    observed.signals[:, 4] = warmth[-count:]
    return observed


@pytest.fixture
def warmth() -> np.ndarray:
    return np.random.default_rng(0).normal(0.06, 0.1, 1_000)


def test_nothing_is_found_where_nothing_is_wrong(warmth):
    reference = warm_reference(warmth)
    traffic = Traffic({"OK": 990, "INVALID_ARGUMENT": 10, "UNAVAILABLE": 500}, repeats=300)
    assert data_faults(reference, with_warmth(warmth, 300), traffic) == ()
    assert data_faults(reference, None) == ()


def test_black_frames_are_found_among_good_ones():
    served = served_digits()
    pictures = served.pictures[:100].copy()
    pictures[40:70] = np.arange(30)[:, None, None] % 3
    fault = data_faults(served.reference, served.observe(pictures))[0]
    assert fault.name == "flat pictures"
    assert "30 of the newest 100 pictures are black" in fault.reason


def test_swapped_channels_are_told_from_another_light(warmth):
    reference = warm_reference(warmth)
    [fault] = data_faults(reference, with_warmth(-warmth, 300))
    assert fault.name == "swapped channels"
    assert data_faults(reference, with_warmth(warmth - 0.3, 300)) == ()
    assert data_faults(reference, with_warmth(warmth + 0.1, 300)) == ()


def test_empty_bodies_show_in_the_statuses():
    reference = served_digits().reference
    traffic = Traffic({"OK": 60, "INVALID_ARGUMENT": 40})
    [fault] = data_faults(reference, None, traffic)
    assert fault.name == "refused requests"
    assert "40 of 100" in fault.reason


def test_one_picture_again_and_again():
    served = served_digits()
    [fault] = data_faults(
        served.reference, served.observe(served.pictures[:2]), Traffic({"OK": 502}, repeats=500)
    )
    assert fault.name == "one picture again and again"
