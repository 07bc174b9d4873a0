"""What a search may choose from: named parameters, each a range or a list of choices.

The same description is written into the history, so that a later search can tell how far the
space of an earlier one agrees with its own.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    import keras_tuner

MOST = 1e50
"""Greatest number in a space or a history. No float32 comes near it, and powers of it still fit
into a float64: a reader of somebody's file may calculate with what it finds there."""

Number = Annotated[float, Field(ge=-MOST, le=MOST)]
Integer = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Text = Annotated[str, Field(max_length=1000)]
Value = bool | Integer | Number | Text
"""Of one hyperparameter."""
Values = dict[str, Value]
"""Of one trial, by the parameter's name."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_./-]{0,99}$")]


class Frozen(BaseModel):
    """What is written to a file: it does not change, and holds no infinity and no NaN."""

    # protected_namespaces: pydantic warns of fields that begin with "model_" otherwise.
    model_config = ConfigDict(frozen=True, allow_inf_nan=False, protected_namespaces=())


class FloatRange(Frozen):
    """Any number between two bounds, both included.

    Attributes:
        kind: "float".
        name: of the hyperparameter.
        low: least value; at least 1 / `MOST` where the scale is logarithmic.
        high: greatest value; equal to `low` for a parameter that is not searched.
        scale: in which values are equally likely.
    """

    kind: Literal["float"] = "float"
    name: Name
    low: Number
    high: Number
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _check(self) -> "FloatRange":
        if self.low > self.high:
            raise ValueError(f"{self.name}: the range [{self.low}, {self.high}] is upside down")
        if self.scale == "log" and self.low < 1 / MOST:
            raise ValueError(
                f"{self.name}: a logarithmic range must start above 0, at {1 / MOST:g} or more"
            )
        return self

    def contains(self, value: Value) -> bool:
        """Whether the value lies in the range, but for rounding."""
        slack = 1e-9 * max(abs(self.low), abs(self.high))
        return not isinstance(value, str) and self.low - slack <= value <= self.high + slack

    def register(self, hyperparameters: "keras_tuner.HyperParameters") -> None:
        """Adds the parameter to a Keras Tuner space."""
        if self.low == self.high:
            # Keras Tuner divides by the logarithm of high / low.
            hyperparameters.Fixed(self.name, self.low)
            return
        hyperparameters.Float(self.name, self.low, self.high, sampling=self.scale)


class Choice(Frozen):
    """One of a few values.

    Attributes:
        kind: "choice".
        name: of the hyperparameter.
        values: all of one type; numbers are ordered, strings are not.
    """

    kind: Literal["choice"] = "choice"
    name: Name
    values: Annotated[tuple[Value, ...], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _check(self) -> "Choice":
        if len(set(self.values)) != len(self.values):
            raise ValueError(f"{self.name}: the same choice twice in {self.values}")
        if len({isinstance(value, str) for value in self.values}) != 1:
            raise ValueError(f"{self.name}: numbers and text cannot be mixed in {self.values}")
        return self

    def contains(self, value: Value) -> bool:
        """Whether the value is one of the choices."""
        return value in self.values

    def register(self, hyperparameters: "keras_tuner.HyperParameters") -> None:
        """Adds the parameter to a Keras Tuner space."""
        if len(self.values) == 1:
            hyperparameters.Fixed(self.name, self.values[0])
            return
        hyperparameters.Choice(self.name, list(self.values))


Parameter = Annotated[FloatRange | Choice, Field(discriminator="kind")]


class SearchSpace(Frozen):
    """All parameters of a search, in a fixed order.

    Attributes:
        parameters: with names that differ.
    """

    parameters: Annotated[tuple[Parameter, ...], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _check(self) -> "SearchSpace":
        names = [parameter.name for parameter in self.parameters]
        if len(set(names)) != len(names):
            raise ValueError(f"a parameter is named twice: {names}")
        return self

    def to_hyperparameters(self) -> "keras_tuner.HyperParameters":
        """The space as Keras Tuner's oracles take it."""
        # Keras takes seconds to import, and a history is read without it.
        import keras_tuner

        hyperparameters = keras_tuner.HyperParameters()
        for parameter in self.parameters:
            parameter.register(hyperparameters)
        return hyperparameters
