"""The images of a split as training reads them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.data import example_reader, example_schema
from models.data.class_labels import class_index
from models.data.image_decoding import ImageSpec, compiled_decoding

_TEXT = tf.io.FixedLenFeature([], tf.string)
_SPEC = {example_schema.IMAGE: _TEXT, example_schema.LABEL: _TEXT}


@dataclass(frozen=True)
class ImageSplit:
    """One split on disk; images whose class the model does not know are not in it.

    Attributes:
        examples_uri: folder of the Examples.
        split: its name.
        labels: class names in the model's order.
        spec: the square that images become.
        left_out: names of images that are not in it either.
        most: images that are taken, the first ones; None for all.
    """

    examples_uri: str
    split: str
    labels: tuple[str, ...]
    spec: ImageSpec
    left_out: tuple[str, ...] = ()
    most: int | None = None

    def encoded(self) -> tf.data.Dataset:
        """Encoded images and classes, in the order of the files.

        Returns:
            Dataset of (string scalar, int64 scalar).
        """
        parsed = example_reader.dataset(self.examples_uri, self.split).map(self._parse)
        known = parsed.filter(lambda _, known: known >= 0)
        return known if self.most is None else known.take(self.most)

    @tf.autograph.experimental.do_not_convert
    def decode(self, encoded: tf.Tensor, known: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Decodes one element of `encoded`."""
        return compiled_decoding(self.spec)(encoded), known

    def finished(
        self, images: NDArray[np.float32], generator: np.random.Generator
    ) -> NDArray[np.float32]:
        """Makes of decoded images float32 [n, s, s, 3] what is learned from: here the same."""
        del generator
        return images

    def classes(self) -> NDArray[np.int64]:
        """Class index of each image, int64 [n], in the order of `encoded`."""
        found = [int(known) for _, known in self.encoded().as_numpy_iterator()]
        return np.array(found, np.int64)

    def _parse(self, serialized: tf.Tensor) -> tuple[Any, Any]:
        spec = _SPEC | ({example_schema.NAME: _TEXT} if self.left_out else {})
        parsed = tf.io.parse_single_example(serialized, spec)
        known = class_index(parsed[example_schema.LABEL], self.labels)
        if self.left_out:
            is_left_out = class_index(parsed[example_schema.NAME], self.left_out) >= 0
            known = tf.where(is_left_out, tf.constant(-1, tf.int64), known)
        return parsed[example_schema.IMAGE], known
