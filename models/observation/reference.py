"""What a pushed version answered on images that it was never trained on.

It travels beside the version: at most `reference_size.MOST_IMAGES` images, each as a few hundred
bytes.
"""

import io
import json
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import GraftError
from models.observation.signal_names import IMAGE_SIGNALS
from models.storage.seals import read_sealed, write_sealed

REFERENCE: Final = "monitoring-reference.npz"
"""Name of the file."""
MOST_DIRECTIONS: Final = 64
"""Numbers that are kept of an embedding at most."""
FORMAT: Final = 1


@dataclass(frozen=True, slots=True, eq=False)
class StressedAnswers:
    """What the served model says of held-out images that were made worse on purpose.

    Image i is a view of the held-out image i modulo n.

    Attributes:
        projections: float16 [m, c].
        probabilities: float16 [m, k], as served.
        signals: float32 [m, 5].
        labels: int32 [m], right classes.
        changes: int32 [m], what was done; see `models.observation.stress`.
        strengths: float32 [m], 0 to 1.
    """

    projections: NDArray[np.float16]
    probabilities: NDArray[np.float16]
    signals: NDArray[np.float32]
    labels: NDArray[np.int32]
    changes: NDArray[np.int32]
    strengths: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Images that were held out, and what the served model says of them.

    Attributes:
        classes: k names in the order of the model's outputs.
        model_digest: digest of the exported model that answered.
        temperature: what logits, the logarithms of the probabilities, are divided by to be
            calibrated.
        centre: float32 [d], mean embedding of training images.
        directions: float32 [d, c], principal directions of training images, the widest first, each
            divided by the spread along it, so that projections have unit variance there.
        anchors: float16 [a, c], projections of training images, which distances are measured to.
            They are not among the held-out images, so that the distances of these and of requests
            are alike as long as the images are.
        anchor_labels: int32 [a], their classes.
        projections: float16 [n, c], of the held-out images.
        probabilities: float16 [n, k], as served, not calibrated.
        signals: float32 [n, 5], columns as in `IMAGE_SIGNALS`.
        labels: int32 [n], right classes.
        digests: n SHA-256 of the images' files as the user supplied them, hex.
        names: n names, as the user's data has them.
        thumbnails: n JPEG files of at most 64 pixels a side, or none at all.
        stressed: answers to held-out images made worse on purpose (`models.observation.stress`), or
            None. With them, the accuracy on changed images is foretold much better.
    """

    classes: tuple[str, ...]
    model_digest: str
    temperature: float
    centre: NDArray[np.float32]
    directions: NDArray[np.float32]
    anchors: NDArray[np.float16]
    anchor_labels: NDArray[np.int32]
    projections: NDArray[np.float16]
    probabilities: NDArray[np.float16]
    signals: NDArray[np.float32]
    labels: NDArray[np.int32]
    digests: tuple[str, ...]
    names: tuple[str, ...]
    thumbnails: tuple[bytes, ...] = ()
    stressed: StressedAnswers | None = None

    def __post_init__(self) -> None:
        """Checks that the parts fit together.

        Raises:
            GraftError: they do not.
        """
        n, k = len(self.labels), len(self.classes)
        d, c = self.directions.shape
        shapes = {
            "centre": (d,),
            "anchors": (len(self.anchor_labels), c),
            "projections": (n, c),
            "probabilities": (n, k),
            "signals": (n, len(IMAGE_SIGNALS)),
        }
        wrong = [name for name, shape in shapes.items() if getattr(self, name).shape != shape]
        texts = {"digests": self.digests, "names": self.names}
        wrong += [name for name, values in texts.items() if len(values) != n]
        wrong += ["thumbnails"] if len(self.thumbnails) not in (0, n) else []
        for name in ("labels", "anchor_labels"):
            values = getattr(self, name)
            wrong += [name] if len(values) and not 0 <= values.min() <= values.max() < k else []
        wrong += [] if 0.0 < self.temperature < float("inf") else ["temperature"]
        for name in ("centre", "directions", "anchors", "projections", "probabilities", "signals"):
            wrong += [] if np.isfinite(getattr(self, name)).all() else [name]
        wrong += _unsound(self.stressed, c, k) if self.stressed else []
        if wrong:
            raise GraftError(f"A monitoring reference is not sound: {', '.join(wrong)} do not fit.")

    def project(self, embeddings: NDArray[np.float32]) -> NDArray[np.float16]:
        """Shortens embeddings.

        Args:
            embeddings: float32 [m, d].

        Returns:
            float16 [m, c].
        """
        limit = float(np.finfo(np.float16).max)
        projected = (embeddings - self.centre) @ self.directions
        return np.clip(projected, -limit, limit).astype(np.float16)


def _unsound(stressed: StressedAnswers, directions: int, classes: int) -> list[str]:
    """Names the parts that do not fit."""
    count = len(stressed.labels)
    shapes = {
        "projections": (count, directions),
        "probabilities": (count, classes),
        "signals": (count, len(IMAGE_SIGNALS)),
        "labels": (count,),
        "changes": (count,),
        "strengths": (count,),
    }
    values = {name: getattr(stressed, name) for name in shapes}
    wrong = [
        name
        for name, shape in shapes.items()
        if values[name].shape != shape or not np.isfinite(values[name]).all()
    ]
    if count and not 0 <= stressed.labels.min() <= stressed.labels.max() < classes:
        wrong.append("labels")
    return [f"stressed {name}" for name in wrong]


_STRESSED: Final = "stressed_"
_TEXTS: Final = ("classes", "model_digest", "temperature", "digests", "names")


def write_reference(path: Path, reference: Reference) -> None:
    """Writes a reference in one step, with its digest.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    text = json.dumps({"format": FORMAT, **{name: getattr(reference, name) for name in _TEXTS}})
    arrays: dict[str, Any] = {
        field.name: getattr(reference, field.name)
        for field in fields(reference)
        if field.name not in (*_TEXTS, "thumbnails", "stressed")
    }
    if reference.stressed:
        for field in fields(reference.stressed):
            arrays[_STRESSED + field.name] = getattr(reference.stressed, field.name)
    ends = np.cumsum([len(picture) for picture in reference.thumbnails], dtype=np.int64)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        **arrays,
        text=np.frombuffer(text.encode(), np.uint8),
        thumbnail_ends=ends,
        thumbnails=np.frombuffer(b"".join(reference.thumbnails), np.uint8),
    )
    write_sealed(path, buffer.getvalue())


def read_reference(path: Path) -> Reference:
    """Reads what `write_reference` wrote.

    Raises:
        GraftError: it is absent, damaged, or of another format.
    """
    content = read_sealed(path)
    if content is None:
        raise GraftError(
            f"{path} is missing or damaged. Push the model again to make it anew: graft run."
        )
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            text = json.loads(arrays["text"].tobytes())
            if text.pop("format") != FORMAT:
                raise GraftError(f"{path} is of another format than {FORMAT}: update Graft.")
            ends = arrays["thumbnail_ends"].tolist()
            pictures = arrays["thumbnails"].tobytes()
            kept: dict[str, Any] = {
                name: arrays[name]
                for name in arrays.files
                if name not in ("text", "thumbnail_ends", "thumbnails")
            }
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise GraftError(f"{path} is no monitoring reference ({error}).") from error
    texts: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in text.items()
    }
    stressed = {
        name.removeprefix(_STRESSED): kept.pop(name)
        for name in list(kept)
        if name.startswith(_STRESSED)
    }
    if stressed:
        kept["stressed"] = StressedAnswers(**stressed)
    thumbnails = tuple(pictures[start:end] for start, end in zip([0, *ends], ends, strict=False))
    return Reference(**texts, **kept, thumbnails=thumbnails)
