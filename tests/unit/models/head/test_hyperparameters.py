import pytest

from models.errors import UsageError
from models.head.hyperparameters import HeadParameters


def test_parameters_survive_the_way_through_values() -> None:
    parameters = HeadParameters(0.01, 1e-5, 0.1, 0.05, 128, 64)
    values = parameters.to_values() | {"tuner/epochs": 3}
    assert HeadParameters.from_values(values) == parameters


def test_a_missing_parameter_is_named() -> None:
    values = HeadParameters().to_values()
    del values["dropout"]
    with pytest.raises(UsageError, match="dropout"):
        HeadParameters.from_values(values)
