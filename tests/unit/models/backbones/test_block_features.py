import keras
import numpy as np
import pytest

from models.backbones import build_backbone


@pytest.mark.parametrize("name", ["EfficientNetLite0", "MobileNetV3Small"])
def test_features_of_all_blocks_are_the_last_ones_and_the_means_of_the_blocks(name):
    last = build_backbone(name, "none", 64, seed=1)
    every = build_backbone(name, "none", 64, features="all", seed=1)
    assert (last.features, every.features) == ("last", "all")
    assert every.weights_digest == last.weights_digest
    assert every.dimension > last.dimension
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    features = every.model.predict(images, verbose=0)
    assert features.shape == (2, every.dimension)
    np.testing.assert_allclose(
        features[:, : last.dimension], last.model.predict(images, verbose=0), rtol=1e-4, atol=1e-6
    )
    start = last.dimension
    tensors = [block.tensor for block in every.blocks]
    for inside in keras.Model(every.trunk.inputs[0], tensors).predict(images, verbose=0):
        end = start + inside.shape[-1]
        np.testing.assert_allclose(
            features[:, start:end], inside.mean(axis=(1, 2)), rtol=1e-3, atol=1e-5
        )
        start = end
    assert start == every.dimension


@pytest.mark.parametrize("name", ["EfficientNetLite0", "EfficientNetLite2", "VGG16"])
def test_blocks_are_taken_from_the_bottom_to_the_top(name):
    backbone = build_backbone(name, "none", 64, features="all")
    depths = [block.weighted_below for block in backbone.blocks]
    assert depths == sorted(set(depths))
    assert 3 <= len(depths) <= 18
    assert backbone.dimension <= 5 * int(backbone.trunk.output_shape[-1])
