import dataclasses

import keras
import numpy as np
import pytest

from models.backbones import Backbone
from models.backbones.block_features import find_blocks, with_blocks
from models.head.block_weights import block_weights
from models.head.head_model import build_head
from models.head.labelled_embeddings import LabelledEmbeddings


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="low")(inputs)
    x = keras.layers.Conv2D(6, 3, name="high")(x)
    trunk = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    blocks = find_blocks(trunk)
    model = with_blocks(trunk, blocks)
    return Backbone("tiny", model, trunk, blocks, 8, int(model.output_shape[-1]), "0" * 64)


def test_the_block_that_the_head_reads_is_worth_most(backbone: Backbone) -> None:
    """The class is the sign of the first feature of the block `low`; `high` misleads a little."""
    assert [block.layer for block in backbone.blocks] == ["low", "high"]
    random = np.random.default_rng(0)
    rows = random.normal(size=(400, backbone.dimension)).astype(np.float32)
    classes = (rows[:, 6] > 0.0).astype(int)
    head = build_head(
        backbone.dimension,
        2,
        mean=np.full(backbone.dimension, 0.1, np.float32),
        variance=np.ones(backbone.dimension, np.float32),
    )
    kernel = np.zeros((backbone.dimension, 2), np.float32)
    kernel[6] = -3.0, 3.0
    kernel[10] = 0.3, -0.3
    head.get_layer("logits").set_weights([kernel, np.zeros(2, np.float32)])
    found = block_weights(head, backbone, LabelledEmbeddings(rows, classes))
    assert [(each.name, each.features) for each in found] == [
        *(("low", 4), ("high", 6), ("last output", 6))
    ]
    low, high, last = (each.worth for each in found)
    # Without it the head knows the class by chance alone, and is misled.
    assert low > 0.5
    assert high < 0.0
    assert last == 0.0


def test_a_head_on_the_last_output_alone_has_no_blocks(backbone: Backbone) -> None:
    plain = dataclasses.replace(backbone, blocks=())
    rows = LabelledEmbeddings(np.zeros((1, backbone.dimension), np.float32), np.zeros(1, int))
    assert block_weights(build_head(backbone.dimension, 2), plain, rows) == ()
