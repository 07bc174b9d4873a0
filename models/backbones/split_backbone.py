"""A backbone in two parts: the frozen bottom, which runs once an image, and the top above a cut."""

import math
from dataclasses import dataclass
from typing import Any

import keras

from models.backbones.cuts import Cut, find_cuts
from models.backbones.registry import Backbone


@dataclass(frozen=True)
class SplitBackbone:
    """Two models that share the layers, and so the weights, of one.

    Attributes:
        bottom: from images to all that crosses the cut, side by side, float32 [n, v].
        top: from what crosses, one input for each tensor, to features [n, d].
        shapes: of one image's tensors that cross, in the order of the top's inputs.
    """

    bottom: keras.Model
    top: keras.Model
    shapes: tuple[tuple[int, ...], ...]

    @property
    def values(self) -> int:
        """Numbers that cross for one image, v."""
        return sum(map(math.prod, self.shapes))

    def unpack(self, crossing: Any) -> list[Any]:
        """The inputs of the top.

        Args:
            crossing: [n, v], of the bottom.
        """
        parts, start = [], 0
        for shape in self.shapes:
            end = start + math.prod(shape)
            parts.append(keras.ops.reshape(crossing[:, start:end], (-1, *shape)))
            start = end
        return parts


def split_at(backbone: Backbone, cut: Cut) -> SplitBackbone:
    """Splits a backbone.

    Features of blocks below the cut cross it as they are: nothing above changes them.

    Args:
        backbone: to be split.
        cut: of its trunk.
    """
    order = [each.layer for each in find_cuts(backbone.trunk)]
    place = order.index(cut.layer)
    pooled = [
        backbone.model.get_layer(f"features{number}").output
        for number, block in enumerate(backbone.blocks)
        if order.index(block.layer) < place
    ]
    crossing = [cut.tensor, *pooled]
    flat = [keras.layers.Flatten()(tensor) for tensor in crossing]
    packed = keras.layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    return SplitBackbone(
        bottom=keras.Model(backbone.model.inputs[0], packed, name="bottom"),
        top=keras.Model(crossing, backbone.model.outputs[0], name="top"),
        shapes=tuple(tuple(tensor.shape[1:]) for tensor in crossing),
    )
