"""Which blocks of the backbone matter to a head that reads all of them.

The features of one block at a time are set to their means, so that they tell nothing of an image,
and the head is asked again: by how much its log loss grows is what the block was worth to it
(L. Breiman, "Random Forests", 2001, with the mean in the place of a permutation, which needs no
luck). Neighbours tell much the same, so a block may be worth little only as long as others are
there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from models.backbones import Backbone
from models.head.evidence import log_loss
from models.head.head_model import Standardisation
from models.head.labelled_embeddings import LabelledEmbeddings


@dataclass(frozen=True)
class BlockWeight:
    """One block, or the last output.

    Attributes:
        name: of the layer that its features come from.
        features: how many.
        worth: log loss in nats that the head loses without them; below 0 where it gains.
    """

    name: str
    features: int
    worth: float


def block_weights(
    head: keras.Model, backbone: Backbone, judged: LabelledEmbeddings
) -> tuple[BlockWeight, ...]:
    """Weighs the blocks, from the bottom up, with the last output at the end.

    Args:
        head: linear one of `models.head.head_model.build_head`, on the features of all blocks.
        backbone: whose features these are; with no blocks there is nothing to weigh.
        judged: images that the head was not trained on, at least one.
    """
    if not backbone.blocks:
        return ()
    standardisation: Standardisation = head.get_layer("standardisation")
    kernel, bias = head.get_layer("logits").get_weights()
    rows = keras.ops.convert_to_numpy(standardisation(judged.embeddings))
    logits = rows @ kernel + bias
    before = log_loss(logits, judged.classes)
    weights = []
    for name, columns in _columns(backbone):
        without = logits - rows[:, columns] @ kernel[columns]
        worth = log_loss(without, judged.classes) - before
        weights.append(BlockWeight(name, columns.stop - columns.start, worth))
    return tuple(weights)


def _columns(backbone: Backbone) -> Sequence[tuple[str, slice]]:
    """Name and columns of each block; the features of the last output come first."""
    last = int(backbone.trunk.output_shape[-1])
    ends = last + np.cumsum([int(block.tensor.shape[-1]) for block in backbone.blocks])
    starts = [last, *ends[:-1]]
    blocks = [
        (block.layer, slice(int(start), int(end)))
        for block, start, end in zip(backbone.blocks, starts, ends, strict=True)
    ]
    return [*blocks, ("last output", slice(0, last))]
