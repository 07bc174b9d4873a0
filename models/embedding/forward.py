"""Running the frozen backbone over images, as fast as one processor allows."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.backbones import Backbone
from models.data.image_decoding import (
    DECODE_VERSION,
    ImageSpec,
    compiled_decoding,
    decode_and_resize,
)
from models.errors import BadDataError
from models.inference import compiled_forward
from models.json_digest import json_digest

BATCH_SIZE: Final = 32
"""Images a forward pass; 16 to 64 are equally fast on a CPU, and memory grows with it."""


def embedding_key(backbone: Backbone, spec: ImageSpec) -> str:
    """Names everything but the image that an embedding depends on.

    Returns:
        32 hex digits.
    """
    parts = {
        "backbone": backbone.name,
        "weights": backbone.weights_digest,
        "size": spec.size,
        "resize": spec.resize,
        "decode": DECODE_VERSION,
        "features": backbone.features,
    }
    return json_digest(parts)


class UndecodableImageError(BadDataError):
    """One of the images cannot be decoded.

    Attributes:
        position: its index in the sequence that was given.
    """

    def __init__(self, position: int, reason: str) -> None:
        """Takes the index and TensorFlow's reason."""
        super().__init__(f"image {position} cannot be decoded: {reason}")
        self.position = position
        self.reason = reason


class GraphEmbedder:
    """A compiled forward pass, and what comes before it.

    Attributes:
        forward: the compiled pass from float32 pixels [n, s, s, 3] to a tensor of features [n, d].
        dimension: d.
        spec: how an image becomes the backbone's square.
    """

    def __init__(self, forward: Callable[[Any], Any], dimension: int, spec: ImageSpec) -> None:
        """Takes the pass, of any number of images; see the attributes."""
        self.forward = forward
        self.dimension = dimension
        self.spec = spec

    def embed(self, images: Sequence[bytes]) -> NDArray[np.float32]:
        """Decodes images and computes their features; decoding runs ahead in other threads.

        Args:
            images: encoded images [n]; keep n to some thousands.

        Returns:
            float32 [n, d].

        Raises:
            UndecodableImageError: an image cannot be decoded.
        """
        if not images:
            return np.zeros((0, self.dimension), np.float32)
        batches = (
            tf.data.Dataset.from_tensor_slices(tf.constant(images, tf.string))
            .map(compiled_decoding(self.spec), num_parallel_calls=tf.data.AUTOTUNE)
            .batch(BATCH_SIZE)
            .prefetch(2)
        )
        try:
            return np.concatenate([self.forward(batch).numpy() for batch in batches])
        except tf.errors.InvalidArgumentError:
            self._blame(images)
            raise

    def _blame(self, images: Sequence[bytes]) -> None:
        """Finds the image at fault, which the error of a whole batch does not name."""
        for position, image in enumerate(images):
            if reason := self._refusal(image):
                raise UndecodableImageError(position, reason)

    def _refusal(self, image: bytes) -> str:
        try:
            decode_and_resize(tf.constant(image), self.spec)
        except tf.errors.InvalidArgumentError as error:
            # TensorFlow wraps its reason in the names of the node and of the operation.
            return str(error.message).rpartition("}} ")[2].partition(" [Op:")[0]
        return ""


class Embedder(GraphEmbedder):
    """A backbone compiled for inference. Traced once, for any number of images."""

    def __init__(self, backbone: Backbone, spec: ImageSpec) -> None:
        """Compiles the forward pass.

        Args:
            backbone: left as it is; batch statistics do not move.
            spec: its size must be the backbone's.
        """
        if spec.size != backbone.image_size:
            raise ValueError(f"images of {spec.size} px for a backbone of {backbone.image_size} px")
        super().__init__(compiled_forward(backbone.model), backbone.dimension, spec)
