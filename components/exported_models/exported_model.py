"""An exported model, and what it says of itself."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.artifact_names import SERVING_FOLDER
from models.data.image_decoding import ImageSpec
from models.errors import GraftError
from models.storage.seals import DESCRIPTION, tree_digest

_BATCH = 32
_LOADED: Final = 2
"""Models that stay loaded: the one that is judged and the last blessed one."""
MONITORED = "monitored"
"""Signature that gives what the head reads and the measures of the image, beside the answer."""


@dataclass(frozen=True)
class Answers:
    """What a model gives of n images.

    Attributes:
        probabilities: float32 [n, k].
        embeddings: what the head reads, float32 [n, d].
        signals: measures of the images, float32 [n, 5].
        further: probabilities of each further label column, float32 [n, k] of its own k.
    """

    probabilities: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    signals: NDArray[np.float32]
    further: tuple[NDArray[np.float32], ...] = ()


class ExportedModel:
    """An exported model, loaded when it is first asked.

    Attributes:
        uri: directory of the Model artifact.
        described: what it says of itself.
        classes: its class names, k of them, in the order of its outputs.
        further: class names of each further label column that it answers, by the column.
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
        # A model of an earlier Graft answers none.
        told = self.described.get("further_labels", {})
        self.further = {str(column): tuple(labels) for column, labels in told.items()}
        size = self.described.get("image_size")
        resize = self.described.get("resize", "stretch")
        self.spec = ImageSpec(size, resize) if size else None

    @cached_property
    def _loaded(self) -> Any:
        """The loaded object, kept: its signatures hold variables only weakly."""
        folder = Path(self.uri) / SERVING_FOLDER
        return _load(str(folder), tree_digest(folder))

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
        return self.answer_all(images)[0]

    def answer_all(self, images: Sequence[bytes]) -> tuple[NDArray[np.float32], ...]:
        """The same, and after that the probabilities of each further column.

        Takes and raises what `answer` does.
        """
        signature = self.signature("serving_default")
        parts = [
            signature(image_bytes=tf.constant(images[at : at + _BATCH]))
            for at in range(0, len(images), _BATCH)
        ]
        return tuple(
            np.concatenate(
                [np.zeros((0, len(classes)), np.float32), *(part[name].numpy() for part in parts)]
            )
            for name, classes in self._probabilities.items()
        )

    @property
    def _probabilities(self) -> dict[str, tuple[str, ...]]:
        """Names of the outputs that are probabilities, with their classes."""
        further = {f"{column}/probabilities": labels for column, labels in self.further.items()}
        return {"probabilities": self.classes, **further}

    def observe(self, images: Iterable[bytes]) -> Answers:
        """What it gives through the signature `monitored`, which is the same and more.

        Args:
            images: encoded, n of them; taken a batch at a time.

        Raises:
            GraftError: it has no such signature.
        """
        signature = self.signature(MONITORED)
        outputs = (*self._probabilities, "embedding", "image_signals")
        shapes = [signature.structured_outputs[name].shape[1] for name in outputs]
        parts: list[list[NDArray[np.float32]]] = [[np.zeros((0, d), np.float32)] for d in shapes]
        left = iter(images)
        while batch := list(islice(left, _BATCH)):
            found = signature(image_bytes=tf.constant(batch))
            for name, values in zip(outputs, parts, strict=True):
                values.append(found[name].numpy())
        answers, *further, embeddings, signals = map(np.concatenate, parts)
        return Answers(answers, embeddings, signals, tuple(further))


@lru_cache(maxsize=_LOADED)
def _load(folder: str, digest: str) -> Any:  # noqa: ARG001 - of a changed export, the new content
    """Loads an export once for all stages of a run, which takes seconds.

    Args:
        folder: of the SavedModel.
        digest: of its content.
    """
    return tf.saved_model.load(folder)


def _description(model_uri: str) -> dict[str, Any]:
    path = Path(model_uri) / SERVING_FOLDER / DESCRIPTION
    try:
        described: dict[str, Any] = json.loads(path.read_text("utf-8"))
        described["labels"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise GraftError(f"The model does not name its classes: {path} ({error}).") from error
    return described
