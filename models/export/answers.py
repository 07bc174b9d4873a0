"""What a served classifier answers about images."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from models.export.explanation import LIKELIEST, Explainable
from models.export.image_signals import image_signals

Outputs = dict[str, tf.Tensor]

MOST_NAMED = 5
"""Classes that an answer names, most likely first, where the model has as many."""
_NAMED = ("probabilities", "class_ids", "labels")
_PICTURE_QUALITY = 90


@dataclass(frozen=True)
class FurtherColumn:
    """A further label column that a model answers in the same pass.

    Attributes:
        name: of the column; its outputs are `NAME/probabilities`, `NAME/class_ids` and
            `NAME/labels`.
        labels: class names in the order of its outputs.
        head: from what the model's own head reads, float32 [n, d], to logits.
    """

    name: str
    labels: tuple[str, ...]
    head: keras.Model

    def answer(self, features: tf.Tensor) -> Outputs:
        """Its outputs for n images."""
        probabilities = tf.nn.softmax(self.head(features, training=False))
        return {
            f"{self.name}/{output}": value
            for output, value in _named(probabilities, self.labels).items()
        }


def outputs_of(further: Iterable[FurtherColumn]) -> tuple[str, ...]:
    """Names of all outputs that answer: the first column's, and those of further ones."""
    prefixes = ("", *(f"{column.name}/" for column in further))
    return tuple(prefix + output for prefix in prefixes for output in _NAMED)


def answering(
    model: keras.Model,
    embedding: keras.KerasTensor,
    labels: tuple[str, ...],
    decode: Callable[[tf.Tensor], tf.Tensor],
    further: Sequence[FurtherColumn] = (),
) -> Callable[[tf.Tensor], Outputs]:
    """Makes the one function behind all endpoints that only answer.

    The graph holds the model once for them.

    Args:
        model: from float32 [n, s, s, 3] to probabilities [n, k].
        embedding: in the model's graph, what its head reads, float32 [n, d].
        labels: class names in the order of the outputs.
        decode: from encoded images, string [n], to float32 [n, s, s, 3].
        further: label columns beside that of the model.

    Returns:
        From encoded images, string [n], to `probabilities` float32 [n, k], `class_ids` int64 [n, t]
        and `labels` string [n, t], most likely first, the same of each further column,
        `embedding` float32 [n, d], and `image_signals` float32 [n, 5], columns as in
        `IMAGE_SIGNALS`.
    """
    whole = keras.Model(model.inputs[0], [model.outputs[0], embedding])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def answer(image_bytes: tf.Tensor) -> Outputs:
        pixels = decode(image_bytes)
        probabilities, features = whole(pixels, training=False)
        signals = image_signals(pixels)
        outputs = {"embedding": features, "image_signals": signals}
        for column in further:
            outputs |= column.answer(features)
        return {**_named(probabilities, labels), **outputs}

    return answer


def explaining(
    model: keras.Model,
    embedding: keras.KerasTensor,
    labels: tuple[str, ...],
    decode: Callable[[tf.Tensor], tf.Tensor],
    explainable: Explainable,
    further: Sequence[FurtherColumn] = (),
) -> Callable[[tf.Tensor, tf.Tensor], Outputs]:
    """Makes the function behind the endpoint that explains, with a graph of its own.

    TensorFlow optimises a graph anew for each endpoint before it leaves out what nobody asks for: a
    gradient beside the answer more than doubled that.

    Args:
        model: as for `answering`, as are the next three and further.
        embedding: what its head reads.
        labels: class names.
        decode: from encoded images to pixels.
        explainable: of the same model.
        further: columns that are answered and not explained.

    Returns:
        From encoded images, string [n], and places of classes to explain, int64 [n] or `LIKELIEST`,
        to `probabilities`, `class_ids`, `labels` and further columns as for `answering`, `heat`
        float32 [n, g, g], see `models.export.explanation`, and `seen_bytes` string [n], JPEGs of
        the squares that it lies over.
    """
    outputs = model.outputs[0], embedding, explainable.logits, *explainable.maps
    whole = keras.Model(model.inputs[0], list(outputs))

    def explain(image_bytes: tf.Tensor, class_id: tf.Tensor) -> Outputs:
        with tf.control_dependencies([_check_class(class_id, len(labels))]):
            pixels = decode(tf.identity(image_bytes))
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            probabilities, features, logits, *maps = whole(pixels, training=False)
        outputs = _named(probabilities, labels)
        for column in further:
            outputs |= column.answer(features)
        likeliest = outputs["class_ids"][:, 0]
        places = tf.where(tf.equal(class_id, LIKELIEST), likeliest, class_id)
        heat = explainable.heat(tape, logits, maps, places)
        return {**outputs, "heat": heat, "seen_bytes": _pictures(pixels)}

    return explain


def _check_class(class_id: tf.Tensor, classes: int) -> tf.Operation:
    is_known = (class_id >= LIKELIEST) & (class_id < classes)
    words = f"class_id should be a number from 0 to {classes - 1}, or -1 for the likeliest: got"
    return tf.debugging.Assert(tf.reduce_all(is_known), [words, class_id])


def _named(probabilities: tf.Tensor, labels: tuple[str, ...]) -> Outputs:
    # Of equal probabilities the first class wins, as with argmax.
    best = tf.math.top_k(probabilities, min(MOST_NAMED, len(labels))).indices
    names = tf.constant([label.encode() for label in labels])
    return {
        "probabilities": probabilities,
        "class_ids": tf.cast(best, tf.int64),
        "labels": tf.gather(names, best),
    }


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
