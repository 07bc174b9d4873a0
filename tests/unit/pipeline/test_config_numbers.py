"""Every number of the configuration has bounds, or is only compared with others."""

from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import BaseModel

from models.errors import UsageError
from pipeline.config import Config
from pipeline.config_file import load_config

_ONLY_COMPARED = {
    "validation.min_images_per_class",
    "validation.max_imbalance",
    "training.auto_fine_tune_images",
    "training.few_shot_images",
    "training.refit_images",
}
"""Numbers of any size do no harm there."""


def _numbers(section: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _numbers(field.annotation, f"{name}.")
        elif {int, float} & {field.annotation, *_parts_of(field.annotation)}:
            yield above + name


def _parts_of(annotation: object) -> set[object]:
    inner = get_args(annotation)
    return set(inner).union(*map(_parts_of, inner))


@pytest.mark.parametrize("key", sorted(set(_numbers(Config)) - _ONLY_COMPARED))
def test_no_number_is_beyond_all_measure(key: str) -> None:
    value: object = [0, 10**35] if key == "data.sample_range" else 10**18
    with pytest.raises(UsageError, match=key):
        load_config(None, {key: value})
