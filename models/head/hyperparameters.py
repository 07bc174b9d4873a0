"""The hyperparameters of a head: the one table that all else follows from.

Each field of `HeadParameters` is a hyperparameter, with its type, its default, what a search takes
it from and what it means. From these follow the keys of the section `tuning`
(`with_hyperparameters`), the space of a search (`head_space`) and the arguments of a training.
"""

import math
from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Annotated, Any, Final, Literal, TypeVar, cast, get_type_hints

import pydantic
from pydantic import AfterValidator

from models.errors import UsageError
from models.history.search_space import Choice, FloatRange, Parameter, SearchSpace
from models.settings import Section

_T = TypeVar("_T")
_S = TypeVar("_S", bound=Section)

_DOMAIN: Final = "domain"
_MEANING: Final = "meaning"


@dataclass(frozen=True)
class Range:
    """Any number between two bounds, which the configuration may move.

    Attributes:
        default: the two bounds.
        scale: in which values are equally likely.
        below: no value reaches it.
    """

    default: tuple[float, float]
    scale: Literal["linear", "log"] = "linear"
    below: float = math.inf

    @property
    def key(self) -> Any:
        """Type of the configuration's key."""
        return Annotated[tuple[float, float], AfterValidator(self._check)]

    @property
    def words(self) -> str:
        """What the key takes."""
        return "Range, sampled in logarithmic scale." if self.scale == "log" else "Range."

    def parameter(self, name: str, bounds: tuple[float, float]) -> FloatRange:
        """The hyperparameter in a space."""
        return FloatRange(name=name, low=bounds[0], high=bounds[1], scale=self.scale)

    def _check(self, bounds: tuple[float, float]) -> tuple[float, float]:
        if not 0.0 <= bounds[0] <= bounds[1]:
            raise ValueError("a range [low, high] with 0 <= low <= high")
        if self.scale == "log" and bounds[0] <= 0.0:
            raise ValueError("a range above 0, as it is sampled in logarithmic scale")
        if bounds[1] >= self.below:
            raise ValueError(f"a range below {self.below:g}")
        return bounds


@dataclass(frozen=True)
class Choices:
    """One of a few whole numbers, which the configuration may replace.

    Attributes:
        default: the numbers.
        least: of any number.
        unit: that it counts, in words.
        most: largest number that is taken for meant.
    """

    default: tuple[int, ...]
    least: int
    unit: str
    most: int = 65_536

    @property
    def key(self) -> Any:
        """Type of the configuration's key."""
        return Annotated[tuple[int, ...], AfterValidator(self._check)]

    @property
    def words(self) -> str:
        """What the key takes."""
        return "Choices."

    def parameter(self, name: str, values: tuple[int, ...]) -> Choice:
        """The hyperparameter in a space."""
        return Choice(name=name, values=values)

    def _check(self, values: tuple[int, ...]) -> tuple[int, ...]:
        if not values or min(values) < 0 or len(set(values)) != len(values):
            raise ValueError("at least one choice, none negative and none twice")
        if min(values) < self.least:
            raise ValueError(f"choices of at least {self.least} {self.unit}")
        if max(values) > self.most:
            raise ValueError(f"choices up to {self.most:,}")
        return values


def _searched(default: _T, domain: Range | Choices, meaning: str) -> _T:
    return field(default=default, metadata={_DOMAIN: domain, _MEANING: meaning})


@dataclass(frozen=True, slots=True)
class HeadParameters:
    """What a search over heads chooses: the table."""

    learning_rate: float = _searched(
        1e-3, Range((1e-4, 1e-1), scale="log"), "Learning rate of AdamW."
    )
    weight_decay: float = _searched(
        1e-4, Range((1e-6, 1e-1), scale="log"), "Weight decay of AdamW, apart from the gradient."
    )
    dropout: float = _searched(
        0.2,
        Range((0.0, 0.6), below=1.0),
        "Share of the features, and of the hidden units, that a training step leaves out.",
    )
    label_smoothing: float = _searched(
        0.0,
        Range((0.0, 0.2), below=1.0),
        "Share of the target that is spread evenly over the classes.",
    )
    hidden_units: int = _searched(
        0,
        Choices((0, 128, 512), least=0, unit="unit"),
        "Width of the hidden layer; 0 is a linear head.",
    )
    batch_size: int = _searched(32, Choices((32, 128), least=1, unit="image"), "Images a step.")

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "HeadParameters":
        """Takes the parameters from a mapping that may hold others besides.

        Args:
            values: as of `keras_tuner.HyperParameters.values`.

        Raises:
            UsageError: one is missing.
        """
        try:
            return cls(**{name: kind(values[name]) for name, kind in get_type_hints(cls).items()})
        except KeyError as missing:
            raise UsageError(f"the head's hyperparameters lack {missing}") from missing

    def to_values(self) -> dict[str, Any]:
        """The parameters as a mapping, the inverse of `from_values`."""
        return asdict(self)


def head_space(ranges: Mapping[str, Any]) -> SearchSpace:
    """The space of `HeadParameters`.

    Args:
        ranges: bounds or choices by the hyperparameter's name; may hold other keys besides.
    """
    parameters: list[Parameter] = [
        _domain(each).parameter(each.name, ranges[each.name]) for each in fields(HeadParameters)
    ]
    return SearchSpace(parameters=tuple(parameters))


def with_hyperparameters(section: type[_S]) -> type[_S]:
    """Decorates a section: what each hyperparameter is taken from becomes a key of it."""
    keys: dict[str, Any] = {
        each.name: (domain.key, pydantic.Field(domain.default, description=_about(each)))
        for each in fields(HeadParameters)
        for domain in [_domain(each)]
    }
    return pydantic.create_model(
        section.__name__,
        __base__=section,
        __doc__=section.__doc__,
        __module__=section.__module__,
        **keys,
    )


def _domain(parameter: Field[Any]) -> Range | Choices:
    return cast(Range | Choices, parameter.metadata[_DOMAIN])


def _about(parameter: Field[Any]) -> str:
    return f"{parameter.metadata[_MEANING]} {_domain(parameter).words}"
