"""What every section of the configuration is.

A section is one class, which the configuration file, the component and the library read alike. A
key's name, type, bounds, default and meaning stand there and nowhere else.
"""

import json
from typing import Annotated, Any, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from typing_extensions import Self

from models.errors import UsageError

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Section(BaseModel):
    """Keys of the configuration that belong together, frozen and checked.

    The docstring below a key is its meaning in `graft init`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        # Python takes True for 1, so that `budget: yes` would be a second.
        types = _types(cls.model_fields[str(info.field_name)].annotation)
        values = value if isinstance(value, list | tuple) else (value,)
        if {int, float} & types and bool not in types and any(isinstance(v, bool) for v in values):
            raise ValueError("a number, not yes or no")
        return value

    @field_validator("*")
    @classmethod
    def _of_64_bits(cls, value: Any) -> Any:
        # No tensor, no property of an artifact and no clock holds more.
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ValueError("a whole number of at most 64 bits")
        return value

    @field_validator("*")
    @classmethod
    def _without_nul(cls, value: Any) -> Any:
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise ValueError("text without a NUL character")
        return value

    def to_json(self, *leave_out: str) -> str:
        """The section as a component takes it, a part of its cache key: its keys are sorted.

        Args:
            *leave_out: keys that the component does not read.
        """
        return json.dumps(self.model_dump(mode="json", exclude=set(leave_out)), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote; a key that was left out has its default.

        Raises:
            UsageError: it is no JSON object, or a key or a value is not valid.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise UsageError(f"{cls.__name__} cannot be read from JSON: {error}") from error


def _types(annotation: Any) -> set[Any]:
    """All types that an annotation is made of."""
    return {annotation}.union(*(_types(inner) for inner in get_args(annotation)))
