"""Hyperparameters as points of a unit cube, and back."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from keras_tuner import HyperParameters
from keras_tuner.engine import hyperparameters as kinds
from numpy.typing import NDArray

from models.history.search_space import Value, Values
from models.oracles.warm.arrays import Floats

_UNKNOWN = 0.5
"""Coordinate of a parameter that a configuration does not have."""

OUTSIDE = np.inf
"""Coordinate of a value that a parameter of its kind may have, but not in this space."""


class SpaceEncoder:
    """One coordinate a parameter: numbers by their place in the range, choices by their number.

    A parameter with conditions that do not hold in a configuration stands in the middle; the
    parameter that it depends on tells the configurations apart.
    """

    def __init__(self, space: HyperParameters) -> None:
        """Takes the parameters that can vary.

        Args:
            space: of a Keras Tuner search; a name may stand in it under several conditions.
        """
        self._space = space
        self.parameters = [hp for hp in space.space if not isinstance(hp, kinds.Fixed)]

    @property
    def dimension(self) -> int:
        """Columns of `features`."""
        return sum(map(_width, self.parameters))

    def encode(self, values: Mapping[str, Value]) -> Floats:
        """Point of a configuration, float64 [p], each from 0 to 1.

        NaN where it has no value, one that is not in the space, or one that does not apply.
        """
        located = self.locate(values)
        return np.where(np.isinf(located), np.nan, located)

    def locate(self, values: Mapping[str, Value]) -> Floats:
        """Like `encode`, but `OUTSIDE` tells a value out of the range from none, float64 [p]."""
        point = np.array([_coordinate(hp, values) for hp in self.parameters], np.float64)
        return np.where(self.applies(point[None])[0], point, np.nan)

    def applies(self, points: Floats) -> NDArray[np.bool_]:
        """Where a parameter's conditions on others hold, bool [n, p]; or may, for all we know.

        Args:
            points: float64 [n, p]. A condition on a parameter without a coordinate may hold, one
                on a value `OUTSIDE` does not.
        """
        found: dict[int, NDArray[np.bool_]] = {}
        columns = {id(hp): points[:, column] for column, hp in enumerate(self.parameters)}
        for hp in self._space.space:
            met = np.ones(len(points), np.bool_)
            for condition in hp.conditions:
                # A name may stand in the space several times; one that applies is enough.
                holds = np.zeros(len(points), np.bool_)
                for other in self._space.space:
                    if other.name == condition.name and id(other) in found:
                        has = _may_have(other, columns.get(id(other)), condition.values)
                        holds |= found[id(other)] & has
                met &= holds
            found[id(hp)] = met
        columns_met = [found[id(hp)] for hp in self.parameters]
        return np.stack(columns_met, axis=1) if columns_met else np.ones(points.shape, np.bool_)

    def decode(self, point: Floats) -> Values:
        """Configuration at a point; parameters whose conditions do not hold are left out."""
        coordinates = dict(zip(map(id, self.parameters), point, strict=True))
        chosen = HyperParameters()
        for hp in self._space.space:
            chosen.merge([hp])
            if chosen.is_active(hp):
                chosen.values[hp.name] = (
                    _at(hp, float(coordinates[id(hp)])) if id(hp) in coordinates else hp.default
                )
        return dict(chosen.values)

    def snap(self, points: Floats) -> Floats:
        """Moves points [n, p] onto values that exist: the middles of discrete values' shares."""
        snapped = points.copy()
        for column, hp in enumerate(self.parameters):
            values = _discrete(hp)
            if values:
                cell = np.minimum((points[:, column] * values).astype(int), values - 1)
                snapped[:, column] = (cell + 0.5) / values
        return snapped

    def discrete_columns(self) -> NDArray[np.bool_]:
        """Which parameters take a few values only, bool [p]."""
        return np.array([bool(_discrete(hp)) for hp in self.parameters])

    def features(self, points: Floats) -> Floats:
        """What a kernel measures distances in, float64 [n, d].

        Choices without an order get a coordinate each: they are all equally far apart. Where a
        parameter does not apply its coordinate says nothing, so configurations that differ in
        nothing else are the same.
        """
        points = np.where(self.applies(points), points, np.nan)
        columns = []
        for column, hp in enumerate(self.parameters):
            line = np.where(np.isnan(points[:, column]), _UNKNOWN, points[:, column])
            width = _width(hp)
            if width == 1:
                columns.append(line[:, None])
            else:
                cell = np.minimum((line * width).astype(int), width - 1)
                one_hot = np.eye(width)[cell] / np.sqrt(2.0)
                one_hot[np.isnan(points[:, column])] = 0.0
                columns.append(one_hot)
        return np.concatenate(columns, axis=1) if columns else np.zeros((len(points), 0))

    def spread(self, columns: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask over parameters [p] as a mask over features [d]."""
        widths = [_width(hp) for hp in self.parameters]
        return np.repeat(columns, widths)


def _coordinate(hp: Any, values: Mapping[str, Value]) -> float:
    value = values.get(hp.name)
    if value is None:
        return float("nan")
    if not _holds(hp, value):
        return OUTSIDE if _is_kind_of(hp, value) else float("nan")
    return float(np.clip(hp.value_to_prob(_within(hp, value)), 0.0, 1.0))


def _may_have(hp: Any, column: Floats | None, values: Sequence[Value]) -> NDArray[np.bool_] | bool:
    """Whether a parameter has one of some values at its coordinates, bool [n]; NaN may be any."""
    if column is None:
        return hp.default in values
    distinct, places = np.unique(column, return_inverse=True)
    found = [
        bool(np.isnan(each) or (np.isfinite(each) and _at(hp, float(each)) in values))
        for each in distinct
    ]
    return np.array(found, np.bool_)[places]


def _discrete(hp: Any) -> int:
    """Number of values; 0 for a continuous parameter."""
    if isinstance(hp, kinds.Choice):
        return len(hp.values)
    if isinstance(hp, kinds.Boolean):
        return 2
    if isinstance(hp, kinds.Int) and hp.step is not None and hp.sampling == "linear":
        return (hp.max_value - hp.min_value) // hp.step + 1
    return 0


def _at(hp: Any, coordinate: float) -> Any:
    """The value at a coordinate."""
    # Keras Tuner gives max + 1 for a logarithmic Int at 1.0.
    return _within(hp, hp.prob_to_value(coordinate))


def _within(hp: Any, value: Any) -> Any:
    """The value; where rounding took it past the bounds of a range, the bound."""
    if isinstance(hp, kinds.Choice | kinds.Boolean):
        return value
    return min(max(value, hp.min_value), hp.max_value)


def _width(hp: Any) -> int:
    is_unordered = isinstance(hp, kinds.Choice) and not hp.ordered and len(hp.values) > 2
    return len(hp.values) if is_unordered else 1


def _holds(hp: Any, value: Value) -> bool:
    """Whether the parameter can take the value: its type and range allow it."""
    if isinstance(hp, kinds.Choice):
        return value in hp.values
    if isinstance(hp, kinds.Boolean):
        return isinstance(value, bool)
    if isinstance(value, str | bool):
        return False
    slack = 1e-9 * max(abs(hp.min_value), abs(hp.max_value))
    least = hp.min_value - slack if hp.sampling == "linear" else hp.min_value * (1.0 - 1e-9)
    return bool(least <= value <= hp.max_value + slack)


def _is_kind_of(hp: Any, value: Value) -> bool:
    """Whether some range or list for this kind of parameter could have the value."""
    example = hp.values[0] if isinstance(hp, kinds.Choice) else hp.default
    if isinstance(example, str | bool) or isinstance(value, str | bool):
        return type(value) is type(example)
    return isinstance(value, Real)
