"""Features of all blocks: what every part of the backbone sees, not the last one alone.

The pooled output of a backbone was made for the classes of its pretraining; what other tasks need
is often in earlier blocks, and comes from the same forward pass (U. Evci et al., "Head2Toe:
Utilizing Intermediate Representations for Better Transfer Learning", ICML 2022).
"""

from typing import Any, Final, Literal

import keras

from models.backbones.cuts import Cut, find_cuts

FeatureSource = Literal["all", "last"]
"""Where the features of an image come from: the means of all blocks, or the last output alone."""

_MOST_BLOCKS: Final = 18
_MOST_TIMES_LAST: Final = 4
"""The blocks' features are at most so many times as many as the last ones: heads slow down."""


def find_blocks(trunk: keras.Model) -> tuple[Cut, ...]:
    """Finds the outputs of a backbone's blocks, from the bottom up.

    The depth is divided into equal parts, and of each part the smallest tensor is taken, which is
    the output of a block rather than the inside of one. Wide backbones are divided into fewer.

    Args:
        trunk: from images to pooled features [n, d]; flat.
    """
    cuts = [cut for cut in find_cuts(trunk) if cut.weighted_below and len(cut.tensor.shape) == 4]
    total = max((cut.weighted_below for cut in cuts), default=0)
    room = _MOST_TIMES_LAST * int(trunk.output_shape[-1])
    for parts in range(_MOST_BLOCKS, 0, -1):
        smallest: dict[int, Cut] = {}
        for cut in cuts:
            part = (cut.weighted_below - 1) * parts // total
            if part not in smallest or cut.values <= smallest[part].values:
                smallest[part] = cut
        blocks = tuple(smallest[part] for part in sorted(smallest))
        if sum(int(cut.tensor.shape[-1]) for cut in blocks) <= room:
            return blocks
    return ()


def with_blocks(trunk: keras.Model, blocks: tuple[Cut, ...]) -> keras.Model:
    """A model from images to the pooled features of the trunk and of the blocks, side by side.

    Args:
        trunk: from images to pooled features [n, d].
        blocks: of `find_blocks`; the model shares all layers with the trunk.
    """
    pooled: list[Any] = [
        keras.layers.GlobalAveragePooling2D(name=f"features{place}")(block.tensor)
        for place, block in enumerate(blocks)
    ]
    features = keras.layers.Concatenate(name="features")([trunk.outputs[0], *pooled])
    return keras.Model(trunk.inputs[0], features, name=trunk.name)
