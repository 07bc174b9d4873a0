import dataclasses

import pytest
from pydantic import ValidationError

from models.errors import UsageError
from models.head.hyperparameters import HeadParameters
from models.history.search_space import Choice, FloatRange
from models.search.search_settings import SearchSettings


def test_parameters_survive_the_way_through_values() -> None:
    parameters = HeadParameters(0.01, 1e-5, 0.1, 0.05, 128, 64)
    values = parameters.to_values() | {"tuner/epochs": 3}
    assert HeadParameters.from_values(values) == parameters


def test_a_missing_parameter_is_named() -> None:
    values = HeadParameters().to_values()
    del values["dropout"]
    with pytest.raises(UsageError, match="dropout"):
        HeadParameters.from_values(values)


def test_the_table_gives_the_keys_of_the_configuration_and_the_space() -> None:
    settings = SearchSettings.model_validate({"dropout": (0.1, 0.2), "hidden_units": [16]})
    names = [each.name for each in dataclasses.fields(HeadParameters)]
    assert [each.name for each in settings.space.parameters] == names
    assert all(SearchSettings.model_fields[name].description for name in names)
    assert settings.space.parameters[2] == FloatRange(name="dropout", low=0.1, high=0.2)
    assert settings.space.parameters[4] == Choice(name="hidden_units", values=(16,))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("learning_rate", (0.1, 0.01), "low <= high"),
        ("weight_decay", (0.0, 0.1), "above 0"),
        ("dropout", (0.0, 1.0), "a range below 1"),
        ("label_smoothing", (-0.1, 0.1), "0 <= low"),
        ("hidden_units", (), "at least one choice"),
        ("hidden_units", (-1, 16), "none negative"),
        ("hidden_units", (65_537,), "up to 65,536"),
        ("batch_size", (0,), "at least 1 image"),
        ("batch_size", (32, 32), "none twice"),
    ],
)
def test_a_range_without_sense_is_refused(key: str, value: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SearchSettings.model_validate({key: value})
