"""What a served classifier answers about images."""

from collections.abc import Callable

import keras
import tensorflow as tf

from models.export.explanation import LIKELIEST, Explainable
from models.export.image_signals import image_signals

Outputs = dict[str, tf.Tensor]

MOST_NAMED = 5
"""Classes that an answer names, most likely first, where the model has as many."""
_PICTURE_QUALITY = 90


def answering(
    model: keras.Model,
    embedding: keras.KerasTensor,
    labels: tuple[str, ...],
    decode: Callable[[tf.Tensor], tf.Tensor],
    explainable: Explainable | None,
) -> Callable[[tf.Tensor, tf.Tensor], Outputs]:
    """Makes the one function behind all endpoints, so that the graph holds the model once.

    Args:
        model: from float32 [n, s, s, 3] to probabilities [n, k].
        embedding: in the model's graph, what its head reads, float32 [n, d].
        labels: class names in the order of the outputs.
        decode: from encoded images, string [n], to float32 [n, s, s, 3].
        explainable: of the same model; None where it cannot be explained.

    Returns:
        From encoded images, string [n], and places of classes to explain, int64 [n] or `LIKELIEST`,
        to `probabilities` float32 [n, k], `class_ids` int64 [n, t] and `labels` string [n, t], most
        likely first, `embedding` float32 [n, d], and `image_signals` float32 [n, 5], columns as in
        `IMAGE_SIGNALS`. Where it can be explained also `heat` float32 [n, g, g],
        see `models.export.explanation`, and `seen_bytes` string [n], JPEGs of the squares that it
        lies over.
    """
    behind = [explainable.logits, *explainable.maps] if explainable else []
    whole = keras.Model(model.inputs[0], [model.outputs[0], embedding, *behind])
    names = tf.constant([label.encode() for label in labels])

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int64)],
        autograph=False,
    )
    def answer(image_bytes: tf.Tensor, explained: tf.Tensor) -> Outputs:
        pixels = decode(image_bytes)
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            probabilities, features, *values = whole(pixels, training=False)
        # Of equal probabilities the first class wins, as with argmax.
        best = tf.math.top_k(probabilities, min(MOST_NAMED, len(labels))).indices
        outputs = {
            "probabilities": probabilities,
            "class_ids": tf.cast(best, tf.int64),
            "labels": tf.gather(names, best),
            "embedding": features,
            "image_signals": image_signals(pixels),
        }
        if explainable:
            likeliest = tf.cast(best[:, 0], tf.int64)
            places = tf.where(tf.equal(explained, LIKELIEST), likeliest, explained)
            outputs["heat"] = explainable.heat(tape, values[0], values[1:], places)
            outputs["seen_bytes"] = _pictures(pixels)
        return outputs

    return answer


def _pictures(pixels: tf.Tensor) -> tf.Tensor:
    """JPEG files, string [n], of pixels float32 [n, s, s, 3]."""
    return tf.map_fn(
        lambda each: tf.io.encode_jpeg(tf.cast(each + 0.5, tf.uint8), quality=_PICTURE_QUALITY),
        pixels,
        fn_output_signature=tf.string,
    )


def only(outputs: Outputs, *names: str) -> Outputs:
    """Some of the outputs; what nobody asks for is not computed."""
    return {name: outputs[name] for name in names}
