import keras
import numpy as np
import pytest

from models.backbones import build_backbone
from models.backbones.cuts import choose_cut, find_cuts
from models.backbones.split_backbone import split_at


def with_skip() -> keras.Model:
    """input → a → b → c (+ a) → d, where only a skips."""
    inputs = keras.Input((8,), name="input")
    a = keras.layers.Dense(4, name="a")(inputs)
    b = keras.layers.Dense(4, name="b")(a)
    c = keras.layers.Dense(4, name="c")(b)
    added = keras.layers.Add(name="add")([c, a])
    return keras.Model(inputs, keras.layers.Dense(2, name="d")(added))


def test_a_cut_is_where_one_tensor_crosses():
    cuts = find_cuts(with_skip())
    assert [(cut.layer, cut.weighted_below, cut.values) for cut in cuts] == [
        ("input", 0, 8),
        ("a", 1, 4),
        ("add", 3, 4),
        ("d", 4, 2),
    ]


@pytest.mark.parametrize(
    ("name", "unfreeze"),
    [
        *(("EfficientNetLite0", share) for share in (0.0, 0.2, 0.5, 1.0)),
        *((name, 0.5) for name in ("MobileNetV3Small", "DenseNet121")),
        *(
            pytest.param(name, share, marks=pytest.mark.slow)
            for name in ("MobileNetV3Small", "DenseNet121")
            for share in (0.0, 1.0)
        ),
    ],
)
@pytest.mark.parametrize("features", ["last", "all"])
def test_the_two_parts_are_the_whole(name, unfreeze, features):
    backbone = build_backbone(name, "none", 32, features=features)
    split = split_at(backbone, choose_cut(backbone.trunk, unfreeze))
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    whole = backbone.model(images, training=False)
    crossing = split.bottom(images, training=False)
    assert crossing.shape == (2, split.values)
    parts = split.top(split.unpack(crossing), training=False)
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-5)


def test_about_the_asked_share_is_above_the_cut():
    model = build_backbone("EfficientNetLite0", "none", 64).model
    total = find_cuts(model)[-1].weighted_below
    for share in (0.2, 0.4, 0.6, 0.8):
        cut = choose_cut(model, share)
        assert cut.weighted_below == pytest.approx((1 - share) * total, abs=total / 20)
    assert choose_cut(model, 1.0).weighted_below == 0
    assert choose_cut(model, 0.5).layer.endswith("_add"), "the end of a block, not its inside"
