import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from models.training.convolutions import faster_convolutions


@pytest.fixture
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    image = keras.Input((6, 6, 5))
    wide = layers.Conv2D(8, 1, activation="relu")(image)
    strided = layers.Conv2D(8, 1, strides=2)(wide)
    plain = layers.Conv2D(4, 3, padding="same")(strided)
    return keras.Model(image, layers.Conv2D(7, 1, use_bias=False)(plain))


def depthwise_model(size: int, layer: layers.Layer) -> keras.Model:
    keras.utils.set_random_seed(1)
    image = keras.Input((size, size, 6))
    return keras.Model(image, layer(image))


def gradients(model: keras.Model) -> tuple[list[np.ndarray], list[str]]:
    """Of the inputs and the weights, and the paddings of depthwise kernels' gradients."""
    images = np.random.default_rng(0).normal(size=(3, *model.input_shape[1:])).astype(np.float32)

    @tf.function
    def differentiate(images: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(tf.square(model(images, training=False)))
        return tape.gradient(loss, [images, *(each.value for each in model.trainable_weights)])

    traced = differentiate.get_concrete_function(tf.constant(images))
    paddings = [
        operation.get_attr("padding").decode()
        for operation in traced.graph.get_operations()
        if operation.type == "DepthwiseConv2dNativeBackpropFilter"
    ]
    return [each.numpy() for each in traced(tf.constant(images))], paddings


def changed(model: keras.Model) -> list[str]:
    names = {"convolution_op", "call"}
    return [layer.name for layer in model.layers if names & set(vars(layer))]


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
    with faster_convolutions(model):
        multiplied = trained()
    for one, other, before in zip(convolved, multiplied, start, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
        assert not np.allclose(one, before)


@pytest.mark.parametrize(
    ("size", "layer"),
    [
        (7, layers.DepthwiseConv2D(3, 1, "same", activation="relu")),
        (2, layers.DepthwiseConv2D(5, 1, "same", use_bias=False)),
        (7, layers.DepthwiseConv2D(3, 2, "same")),
        (8, layers.DepthwiseConv2D(5, 2, "same", depth_multiplier=2)),
        (8, layers.DepthwiseConv2D(3, 2, "valid")),
        (5, layers.Conv2D(6, (3, 4), 2, "same", groups=6)),
    ],
)
def test_kernels_a_channel_have_the_gradients_of_tensorflow(size: int, layer: layers.Layer) -> None:
    model = depthwise_model(size, layer)
    expected, _ = gradients(model)
    with faster_convolutions(model):
        found, paddings = gradients(model)
    assert paddings == ["EXPLICIT"]
    for one, other in zip(expected, found, strict=True):
        assert np.abs(one).max() > 0
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(one).max())


def test_some_layers_alone_are_changed_and_given_back(model: keras.Model) -> None:
    convolutions = [each.name for each in model.layers if isinstance(each, layers.Conv2D)]
    with faster_convolutions(model):
        assert changed(model) == [convolutions[0], convolutions[3]]
    assert changed(model) == []


@pytest.mark.parametrize(
    "layer",
    [
        layers.DepthwiseConv2D(3, dilation_rate=2),
        layers.Conv2D(6, 3, groups=3),
        layers.Conv2D(12, 3, groups=6),
    ],
)
def test_dilated_kernels_and_those_of_several_channels_are_left_alone(layer: layers.Layer) -> None:
    model = depthwise_model(8, layer)
    with faster_convolutions(model):
        assert changed(model) == []
