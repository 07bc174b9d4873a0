"""The places of a model where exactly one tensor carries everything upwards."""

import math
from dataclasses import dataclass
from typing import Any

import keras


@dataclass(frozen=True, slots=True)
class Cut:
    """A place where one tensor alone carries everything upwards.

    Attributes:
        tensor: the symbolic tensor that crosses, [n, ...].
        layer: name of the layer that gives it.
        weighted_below: layers with weights at or below the cut.
        values: numbers in the tensor for one image.
    """

    tensor: Any
    layer: str
    weighted_below: int
    values: int


def find_cuts(model: keras.Model) -> tuple[Cut, ...]:
    """Finds every cut of a functional model with one input and one output, from the bottom up.

    The first is the input itself (nothing is below it) and the last the output.

    Args:
        model: flat functional model.
    """
    operations = model.operations  # each after those that it reads from
    last_reader = {id(tensor): len(operations) for tensor in model.outputs}
    for position in reversed(range(len(operations))):
        for tensor in keras.tree.flatten(_inputs(operations[position])):
            last_reader.setdefault(id(tensor), position)
    cuts: list[Cut] = []
    alive: dict[int, Any] = {}
    weighted = 0
    for position, operation in enumerate(operations):
        weighted += bool(getattr(operation, "weights", ()))
        for tensor in keras.tree.flatten(operation.output):
            alive[id(tensor)] = tensor
        alive = {key: each for key, each in alive.items() if last_reader.get(key, -1) > position}
        if len(alive) == 1:
            (tensor,) = alive.values()
            values = _values_per_image(tensor)
            if values is not None and not (cuts and cuts[-1].tensor is tensor):
                cuts.append(Cut(tensor, operation.name, weighted, values))
    return tuple(cuts)


def choose_cut(model: keras.Model, unfreeze: float) -> Cut:
    """Chooses the cut above which about a share of the weighted layers lies.

    Of all cuts within a twentieth of the layers around the wanted place the one with the smallest
    tensor is taken, which is the output of a block rather than the inside of one.

    Args:
        model: flat functional model.
        unfreeze: share of the weighted layers to train, in 0..1.
    """
    cuts = find_cuts(model)
    total = cuts[-1].weighted_below
    wanted = (1.0 - unfreeze) * total
    if unfreeze >= 1.0:
        return cuts[0]

    def distance(cut: Cut) -> float:
        return abs(cut.weighted_below - wanted)

    near = [cut for cut in cuts if distance(cut) <= total / 20]
    if not near:
        return min(cuts, key=distance)
    return min(near, key=lambda cut: (cut.values, distance(cut)))


def _inputs(operation: Any) -> Any:
    return [] if isinstance(operation, keras.layers.InputLayer) else operation.input


def _values_per_image(tensor: Any) -> int | None:
    """None where it depends on the image, or nothing but the batch crosses."""
    shape = tensor.shape[1:]
    return None if not shape or None in shape else math.prod(shape)
