"""What a served classifier answers about images."""

from collections.abc import Callable

import keras
import tensorflow as tf

from models.export.image_signals import image_signals

Outputs = dict[str, tf.Tensor]

MOST_NAMED = 5
"""Classes that an answer names, most likely first, where the model has as many."""


def answering(
    model: keras.Model,
    embedding: keras.KerasTensor,
    labels: tuple[str, ...],
    decode: Callable[[tf.Tensor], tf.Tensor],
) -> Callable[[tf.Tensor], Outputs]:
    """Makes the one function behind all endpoints, so that the graph holds the model once.

    Args:
        model: from float32 [n, s, s, 3] to probabilities [n, k].
        embedding: in the model's graph, what its head reads, float32 [n, d].
        labels: class names in the order of the outputs.
        decode: from encoded images, string [n], to float32 [n, s, s, 3].

    Returns:
        From encoded images, string [n], to `probabilities` float32 [n, k], `class_ids` int64
        [n, t] and `labels` string [n, t], most likely first, `embedding` float32 [n, d], and
        `image_signals` float32 [n, 5], columns as in `IMAGE_SIGNALS`.
    """
    both = keras.Model(model.inputs[0], [model.outputs[0], embedding])
    names = tf.constant([label.encode() for label in labels])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def answer(image_bytes: tf.Tensor) -> Outputs:
        pixels = decode(image_bytes)
        probabilities, features = both(pixels, training=False)
        # Of equal probabilities the first class wins, as with argmax.
        best = tf.math.top_k(probabilities, min(MOST_NAMED, len(labels))).indices
        return {
            "probabilities": probabilities,
            "class_ids": tf.cast(best, tf.int64),
            "labels": tf.gather(names, best),
            "embedding": features,
            "image_signals": image_signals(pixels),
        }

    return answer


def only(outputs: Outputs, *names: str) -> Outputs:
    """Some of the outputs; what nobody asks for is not computed."""
    return {name: outputs[name] for name in names}
