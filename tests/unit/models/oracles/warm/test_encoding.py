from typing import Any

import keras_tuner
import numpy as np
import pytest

from models.oracles.warm.candidates import near_points, spread_points
from models.oracles.warm.encoding import SpaceEncoder


def space() -> keras_tuner.HyperParameters:
    made = keras_tuner.HyperParameters()
    made.Float("rate", 1e-4, 1e-1, sampling="log")
    made.Int("units", 8, 64, step=8)
    made.Choice("activation", ["relu", "gelu", "tanh"])
    made.Choice("depth", [1, 2, 4], ordered=True)
    made.Boolean("norm")
    made.Fixed("epochs", 5)
    with made.conditional_scope("norm", [True]):
        made.Float("momentum", 0.8, 1.0)
    return made


VALUES: dict[str, Any] = {
    "rate": 1e-2,
    "units": 32,
    "activation": "gelu",
    "depth": 4,
    "norm": True,
    "epochs": 5,
    "momentum": 0.95,
}


def test_a_configuration_comes_back_from_its_point():
    encoder = SpaceEncoder(space())
    decoded = encoder.decode(encoder.encode(VALUES))
    assert decoded.pop("rate") == pytest.approx(VALUES["rate"])
    assert decoded.pop("momentum") == pytest.approx(VALUES["momentum"])
    assert decoded == {name: VALUES[name] for name in decoded}
    assert set(decoded) == {"units", "activation", "depth", "norm", "epochs"}


def test_numbers_stand_by_their_place_in_the_range():
    point = SpaceEncoder(space()).encode(VALUES)
    assert point[0] == pytest.approx(2 / 3)
    assert point[-1] == pytest.approx(0.75)


def test_a_parameter_that_does_not_apply_has_no_coordinate_and_no_value():
    encoder = SpaceEncoder(space())
    without = {name: value for name, value in VALUES.items() if name != "momentum"}
    point = encoder.encode({**without, "norm": False})
    assert np.isnan(point[-1])
    assert np.isfinite(point[:-1]).all()
    assert "momentum" not in encoder.decode(np.nan_to_num(point, nan=0.5))


@pytest.mark.parametrize(
    ("name", "value"),
    [("rate", 0.5), ("activation", "elu"), ("norm", 1), ("units", "many"), ("rate", True)],
)
def test_what_the_space_cannot_hold_has_no_coordinate(name, value):
    encoder = SpaceEncoder(space())
    column = [hp.name for hp in encoder.parameters].index(name)
    assert np.isnan(encoder.encode({**VALUES, name: value})[column])


def test_choices_without_an_order_are_equally_far_apart_and_others_are_not():
    encoder = SpaceEncoder(space())

    def apart(name, first, second) -> float:
        points = np.array([encoder.encode({**VALUES, name: each}) for each in (first, second)])
        one, other = encoder.features(points)
        return float(np.linalg.norm(one - other))

    assert apart("activation", "relu", "gelu") == pytest.approx(1.0)
    assert apart("activation", "relu", "tanh") == pytest.approx(1.0)
    assert apart("depth", 1, 4) == pytest.approx(2 * apart("depth", 1, 2))


def test_snapped_points_decode_to_the_same_values_and_stand_still():
    encoder = SpaceEncoder(space())
    points = np.random.default_rng(0).random((50, len(encoder.parameters)))
    snapped = encoder.snap(points)
    assert [encoder.decode(each) for each in snapped] == [encoder.decode(each) for each in points]
    assert np.array_equal(encoder.snap(snapped), snapped)


NUMBERS = {
    "log Int": {"kind": "Int", "min_value": 8, "max_value": 64, "sampling": "log"},
    "reverse_log Int": {"kind": "Int", "min_value": 8, "max_value": 64, "sampling": "reverse_log"},
    "log Int with steps": {
        "kind": "Int",
        "min_value": 1,
        "max_value": 100,
        "sampling": "log",
        "step": 3,
    },
    "Int of one value": {"kind": "Int", "min_value": 5, "max_value": 5, "sampling": "log"},
    "Float": {"kind": "Float", "min_value": 0.1, "max_value": 0.7},
    "log Float": {"kind": "Float", "min_value": 1e-12, "max_value": 0.7, "sampling": "log"},
    "reverse_log Float": {
        "kind": "Float",
        "min_value": 0.3,
        "max_value": 0.9,
        "sampling": "reverse_log",
    },
    "Float with steps": {"kind": "Float", "min_value": 0.1, "max_value": 0.7, "step": 0.2},
}


@pytest.mark.parametrize("options", NUMBERS.values(), ids=NUMBERS)
def test_what_stands_at_a_point_is_in_the_range_and_has_a_coordinate(options):
    numbers = keras_tuner.HyperParameters()
    kind = options["kind"]
    getattr(numbers, kind)("number", **{k: v for k, v in options.items() if k != "kind"})
    encoder = SpaceEncoder(numbers)
    for coordinate in [*np.linspace(0.0, 1.0, 401), np.nextafter(1.0, 0.0)]:
        values = encoder.decode(np.array([coordinate]))
        assert options["min_value"] <= values["number"] <= options["max_value"]
        assert isinstance(values["number"], int if kind == "Int" else float)
        assert np.isfinite(encoder.encode(values)).all()
        again = encoder.decode(encoder.encode(values))
        assert again["number"] == pytest.approx(values["number"])


def test_zero_has_no_place_in_a_logarithmic_range_however_small_it_starts():
    tiny = keras_tuner.HyperParameters()
    tiny.Float("decay", 1e-12, 0.7, sampling="log")
    assert np.isnan(SpaceEncoder(tiny).encode({"decay": 0.0}))


def test_what_does_not_apply_makes_no_difference():
    """However a configuration without it is written: as a trial's values or as a point."""
    encoder = SpaceEncoder(space())
    without = {**VALUES, "norm": False}
    del without["momentum"]
    trial = encoder.encode(without)
    assert np.array_equal(encoder.encode({**without, "momentum": 0.9}), trial, equal_nan=True)
    points = np.array([trial, trial, encoder.encode(VALUES)])
    points[1, -1] = 0.9
    assert encoder.applies(points)[:, -1].tolist() == [False, False, True]
    features = encoder.features(points)
    assert np.array_equal(features[0], features[1])
    assert not np.array_equal(features[0], features[2])


def test_a_condition_on_a_condition_holds_only_where_both_do():
    nested = keras_tuner.HyperParameters()
    nested.Choice("kind", ["linear", "deep"])
    with nested.conditional_scope("kind", ["deep"]):
        nested.Int("layers", 1, 3)
        with nested.conditional_scope("layers", [2, 3]):
            nested.Float("dropout", 0.0, 1.0)
    encoder = SpaceEncoder(nested)
    tried: list[dict[str, Any]] = [
        {"kind": "deep", "layers": 2, "dropout": 0.1},
        {"kind": "deep", "layers": 1},
        {"kind": "linear", "layers": 2},
        {"kind": "tree", "layers": 2},
        {"layers": 2},
    ]
    points = np.array([encoder.locate(values) for values in tried])
    assert encoder.applies(points).tolist() == [
        [True, True, True],
        [True, True, False],
        [True, False, False],
        [True, False, False],
        [True, True, True],
    ]
    assert np.isposinf(points[3, 0])


@pytest.mark.parametrize(
    ("name", "value", "is_outside"),
    [
        ("rate", 0.5, True),
        ("rate", 10**400, True),
        ("rate", "high", False),
        ("activation", "elu", True),
        ("activation", 3, False),
        ("depth", 8, True),
        ("depth", "deep", False),
        ("norm", 1, False),
    ],
)
def test_a_value_out_of_the_range_is_told_from_one_of_another_kind(name, value, is_outside):
    encoder = SpaceEncoder(space())
    column = [hp.name for hp in encoder.parameters].index(name)
    located = encoder.locate({**VALUES, name: value})
    assert np.isposinf(located[column]) == is_outside
    assert np.isnan(encoder.encode({**VALUES, name: value})[column])


@pytest.mark.parametrize("seed", [-1, -3, -(2**63), 2**70])
def test_any_whole_number_is_a_seed(seed):
    encoder = SpaceEncoder(space())
    centre = encoder.encode(VALUES)[None]
    assert np.array_equal(spread_points(encoder, seed), spread_points(encoder, seed))
    near = near_points(encoder, centre, (seed, 4))
    assert np.array_equal(near, near_points(encoder, centre, (seed, 4)))
    assert not np.array_equal(near, near_points(encoder, centre, (abs(seed) + 1, 4)))


def test_candidates_fill_the_space_and_gather_around_good_points():
    encoder = SpaceEncoder(space())
    spread = spread_points(encoder, seed=1)
    assert {encoder.decode(each)["activation"] for each in spread} == {"relu", "gelu", "tanh"}
    assert np.histogram(spread[:, 0], bins=8, range=(0, 1))[0].min() > 50
    centre = encoder.snap(encoder.encode(VALUES)[None])
    near = near_points(encoder, centre, (1, 2))
    assert near.min() >= 0.0
    assert near.max() <= 1.0
    assert np.abs(near[:, 0] - centre[0, 0]).mean() < 0.1
    assert 0.4 < (near[:, 2] == centre[0, 2]).mean() < 0.95
