import keras
import numpy as np
import pytest

from models.training.pointwise import multiplied_pointwise


@pytest.fixture
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    image = keras.Input((6, 6, 5))
    wide = keras.layers.Conv2D(8, 1, activation="relu")(image)
    strided = keras.layers.Conv2D(8, 1, strides=2)(wide)
    plain = keras.layers.Conv2D(4, 3, padding="same")(strided)
    return keras.Model(image, keras.layers.Conv2D(7, 1, use_bias=False)(plain))


def test_the_answers_and_the_gradients_are_those_of_convolutions(model: keras.Model) -> None:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(3, 6, 6, 5)).astype(np.float32)
    targets = rng.normal(size=(3, 3, 3, 7)).astype(np.float32)
    start = model.get_weights()

    def trained() -> list[np.ndarray]:
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.train_on_batch(images, targets)
        return model.get_weights()

    convolved = trained()
    with multiplied_pointwise(model):
        multiplied = trained()
    for one, other, before in zip(convolved, multiplied, start, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
        assert not np.allclose(one, before)


def test_pointwise_layers_alone_are_changed_and_given_back(model: keras.Model) -> None:
    def changed() -> list[str]:
        return [layer.name for layer in model.layers if "convolution_op" in vars(layer)]

    convolutions = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    with multiplied_pointwise(model):
        assert changed() == [convolutions[0], convolutions[3]]
    assert changed() == []
