"""Serialising `tf.Example`s, one after the other."""

import threading
from collections.abc import Mapping
from typing import Any, Final

import tensorflow as tf

_FILLED: Final = 64
"""Images after which a message is made anew."""


class ExampleForm(threading.local):
    """A `tf.Example` that is filled in anew for each image, one for each thread.

    Making the parts of a message takes four times as long as setting their values, which is a
    twentieth of the whole ingest of small images. But protobuf keeps each value that a message ever
    had for as long as the message is there, so it is made anew every some images: else all of the
    data would come to lie in memory.
    """

    def __init__(self) -> None:
        """Starts empty."""
        self._begin()

    def _begin(self) -> None:
        self._example = tf.train.Example()
        self._lists: dict[str, Any] = {}
        self._filled = 0

    def fill(self, values: Mapping[str, bytes | int | float]) -> bytes:
        """Serialises an Example with these values and no others.

        Args:
            values: by feature, one value each; a feature keeps its type from image to image.
        """
        if self._filled == _FILLED or self._lists.keys() != values.keys():
            # What holds no value yet must not be taken for whole if this is broken off.
            self._begin()
            self._lists = {key: self._list(key, value) for key, value in values.items()}
        for key, value in values.items():
            self._lists[key][0] = value
        self._filled += 1
        # Python's protobuf writes map entries in the order of a salted hash unless told otherwise.
        return self._example.SerializeToString(deterministic=True)

    def _list(self, key: str, value: bytes | int | float) -> Any:
        feature = self._example.features.feature[key]
        kinds = {bytes: feature.bytes_list, int: feature.int64_list, float: feature.float_list}
        chosen = kinds[type(value)].value
        chosen.append(value)
        return chosen
