"""An exported model, and what it says of itself."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.artifact_names import SERVING_FOLDER
from models.data.image_decoding import ImageSpec
from models.errors import GraftError
from models.storage.seals import DESCRIPTION

_BATCH = 32
MONITORED = "monitored"
"""Signature that gives what the head reads and the measures of the image, beside the answer."""


@dataclass(frozen=True)
class Answers:
    """What a model gives of n images.

    Attributes:
        probabilities: float32 [n, k].
        embeddings: what the head reads, float32 [n, d].
        signals: measures of the images, float32 [n, 5].
    """

    probabilities: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    signals: NDArray[np.float32]


class ExportedModel:
    """An exported model, loaded when it is first asked.

    Attributes:
        uri: directory of the Model artifact.
        described: what it says of itself.
        classes: its class names, k of them, in the order of its outputs.
        spec: the square that its images become; None where it does not say.
    """

    def __init__(self, uri: str) -> None:
        """Reads what the model of a Model artifact says of itself, by the artifact's directory.

        Raises:
            GraftError: it does not name its classes.
        """
        self.uri = uri
        self.described = _description(uri)
        self.classes = tuple(self.described["labels"])
        size = self.described.get("image_size")
        resize = self.described.get("resize", "stretch")
        self.spec = ImageSpec(size, resize) if size else None

    @cached_property
    def _loaded(self) -> Any:
        """The loaded object, kept: its signatures hold variables only weakly."""
        return tf.saved_model.load(str(Path(self.uri) / SERVING_FOLDER))

    def has(self, signature: str) -> bool:
        """Whether it has a signature of that name."""
        return signature in self._loaded.signatures

    def signature(self, name: str) -> Any:
        """A signature, to be called with tensors.

        Raises:
            GraftError: it has none of that name.
        """
        if not self.has(name):
            directory = Path(self.uri) / SERVING_FOLDER
            raise GraftError(f"The model in {directory} has no signature {name}.")
        return self._loaded.signatures[name]

    def answer(self, images: Sequence[bytes]) -> NDArray[np.float32]:
        """What it answers through its serving signature.

        Args:
            images: encoded, n of them.

        Returns:
            Probabilities, float32 [n, k].

        Raises:
            GraftError: it has no `serving_default` signature.
        """
        signature = self.signature("serving_default")
        none = np.zeros((0, len(self.classes)), np.float32)
        parts = [
            signature(image_bytes=tf.constant(images[at : at + _BATCH]))["probabilities"].numpy()
            for at in range(0, len(images), _BATCH)
        ]
        return np.concatenate([none, *parts])

    def observe(self, images: Iterable[bytes]) -> Answers:
        """What it gives through the signature `monitored`, which is the same and more.

        Args:
            images: encoded, n of them; taken a batch at a time.

        Raises:
            GraftError: it has no such signature.
        """
        signature = self.signature(MONITORED)
        outputs = ("probabilities", "embedding", "image_signals")
        shapes = [signature.structured_outputs[name].shape[1] for name in outputs]
        parts: list[list[NDArray[np.float32]]] = [[np.zeros((0, d), np.float32)] for d in shapes]
        left = iter(images)
        while batch := list(islice(left, _BATCH)):
            found = signature(image_bytes=tf.constant(batch))
            for name, values in zip(outputs, parts, strict=True):
                values.append(found[name].numpy())
        return Answers(*(np.concatenate(values) for values in parts))


def _description(model_uri: str) -> dict[str, Any]:
    path = Path(model_uri) / SERVING_FOLDER / DESCRIPTION
    try:
        described: dict[str, Any] = json.loads(path.read_text("utf-8"))
        described["labels"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise GraftError(f"The model does not name its classes: {path} ({error}).") from error
    return described
