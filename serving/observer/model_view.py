"""What is to be learned from the answers of one loaded version."""

import hashlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import GraftError
from models.observation.reference import REFERENCE, Reference, read_reference
from models.storage.seals import EXTRA
from serving.inference.signature_call import SignatureCall
from serving.servables.loader import DEFAULT_SIGNATURE, LoadedModel
from serving.tensors.tensor_protos import Tensors

_log = logging.getLogger(__name__)
_MONITORED: Final = "monitored"
_IMAGES: Final = "image_bytes"
_NEEDED: Final = {"probabilities", "embedding", "image_signals"}
_MOST_NAMED: Final = 5
_MATRIX: Final = 2
_SMALLEST: Final = 1e-30


@dataclass(frozen=True, eq=False)
class _Monitored:
    """The signature that answers with an embedding too, and what shortens it."""

    input: str
    fetches: tuple[str, ...]
    aliases: tuple[str, ...]
    reference: Reference


class ModelView:
    """Knows a version's signatures, and its reference if it came with one."""

    def __init__(self, model: LoadedModel, directory: Path) -> None:
        """Looks at a version that was loaded from `directory`."""
        signatures = model.signatures
        self._image_inputs = {
            signature.inputs[_IMAGES].name
            for signature in signatures.values()
            if _IMAGES in signature.inputs
        }
        self._default_input = ""
        if DEFAULT_SIGNATURE in signatures and _IMAGES in signatures[DEFAULT_SIGNATURE].inputs:
            self._default_input = str(signatures[DEFAULT_SIGNATURE].inputs[_IMAGES].name)
        self._monitored = _monitored(model, directory / EXTRA / REFERENCE)

    def observed(self, call: SignatureCall) -> SignatureCall:
        """A call that answers what `call` does, and with the embedding where there is one.

        It is one run all the same. All calls of a version are alike then, so that they are joined.
        """
        kept = self._monitored
        if kept is None or len(call.feeds) != 1 or not set(call.aliases) <= set(kept.aliases):
            return call
        ((name, images),) = call.feeds.items()
        if name not in (self._default_input, kept.input):
            return call
        return replace(call, feeds={kept.input: images}, fetches=kept.fetches, aliases=kept.aliases)

    def images(self, call: SignatureCall) -> list[bytes] | None:
        """The images that a call asks about; None where they are none, or not known to be."""
        if len(call.feeds) != 1:
            return None
        ((name, value),) = call.feeds.items()
        if name not in self._image_inputs or value.dtype != object or value.ndim != 1:
            return None
        return list(value)

    def columns(self, images: list[bytes] | None, fetched: Tensors) -> dict[str, NDArray[Any]]:
        """What an answer says of its images, by the names of the log."""
        columns: dict[str, NDArray[Any]] = {}
        if images is not None:
            columns["digest"] = digests(images)
        probabilities = fetched.get("probabilities")
        count = len(images) if images is not None else None
        if not _is_matrix(probabilities, count):
            return columns
        assert probabilities is not None
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :_MOST_NAMED]
        logs = np.log(np.maximum(probabilities, _SMALLEST))
        columns["class_ids"] = best
        columns["probabilities"] = np.take_along_axis(probabilities, best, axis=1)
        columns["entropy"] = -(probabilities * logs).sum(axis=1)
        if self._monitored is not None and fetched.keys() >= _NEEDED:
            reference = self._monitored.reference
            scaled = np.exp((logs - logs.max(axis=1, keepdims=True)) / reference.temperature)
            columns["confidence"] = 1.0 / scaled.sum(axis=1)
            columns["signals"] = fetched["image_signals"]
            columns["projection"] = reference.project(fetched["embedding"])
        return columns


def digests(images: list[bytes]) -> NDArray[np.uint8]:
    """SHA-256 of each image, uint8 [n, 32]."""
    joined = b"".join(hashlib.sha256(image).digest() for image in images)
    return np.frombuffer(joined, np.uint8).reshape(len(images), -1)


def _is_matrix(value: NDArray[Any] | None, rows: int | None) -> bool:
    return (
        value is not None
        and value.ndim == _MATRIX
        and value.dtype == np.float32
        and value.shape[1] > 0
        and rows in (None, len(value))
    )


def _monitored(model: LoadedModel, path: Path) -> _Monitored | None:
    signature = model.signatures.get(_MONITORED)
    if signature is None or not path.exists():
        return None
    if list(signature.inputs) != [_IMAGES] or not set(signature.outputs) >= _NEEDED:
        return None
    try:
        reference = read_reference(path)
    except GraftError as error:
        _log.warning("Answers are logged without an embedding: %s", error)
        return None
    width = signature.outputs["embedding"].tensor_shape.dim[-1].size
    if width != len(reference.centre):
        _log.warning("Answers are logged without an embedding: %s is of another model.", path)
        return None
    aliases = tuple(sorted(signature.outputs))
    fetches = tuple(str(signature.outputs[alias].name) for alias in aliases)
    return _Monitored(str(signature.inputs[_IMAGES].name), fetches, aliases, reference)
