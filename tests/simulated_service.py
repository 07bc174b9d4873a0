"""A served model's reference and log without a model: images are drawn as numbers."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from request_logs import write_log_file

from models.observation.log_entry import Entry
from models.observation.reference import Reference
from models.observation.signal_names import IMAGE_SIGNALS

CLASSES = ("cat", "dog", "<b>fox</b>")
START = 1_800_000_000.0
_WIDTH = 4
_CENTRES = np.eye(3, _WIDTH) * 4.0


class Images:
    """Drawn images: `images[name]` is an array with a row for each."""

    def __init__(
        self, count: int, seed: int, *, darker: float = 0.0, doubtful: float = 0.0
    ) -> None:
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(0, 3, count)
        self.projections = (_CENTRES[self.labels] + rng.normal(size=(count, _WIDTH))).astype(
            np.float16
        )
        logits = 1.5 * (self.projections.astype(np.float32) @ _CENTRES.T) / 4.0 * (1.0 - doubtful)
        powers = np.exp(logits - logits.max(1, keepdims=True))
        self.probabilities: NDArray[np.float32] = (powers / powers.sum(1, keepdims=True)).astype(
            np.float32
        )
        signals = rng.normal(0.4, 0.05, (count, len(IMAGE_SIGNALS)))
        signals[:, 0] -= darker
        self.signals = signals.astype(np.float32)
        self.digests = [hashlib.sha256(f"{seed}/{n}".encode()).hexdigest() for n in range(count)]

    def entries(self, begin: float = START, version: int = 3) -> list[Entry]:
        """A request for each image, a second after the other."""
        order = np.argsort(-self.probabilities, axis=1)
        top = np.take_along_axis(self.probabilities, order, axis=1)
        entropy = -(self.probabilities * np.log(self.probabilities + 1e-9)).sum(1)
        return [
            Entry(
                begin + n,
                f"{begin:.0f}-{n}",
                "REST",
                "graft",
                version,
                latency_ms=2.0,
                images=1,
                weight=1.0,
                first_row=0,
                columns=self._columns(n, order, top, entropy),
            )
            for n in range(len(self.digests))
        ]

    def _columns(
        self, n: int, order: NDArray[Any], top: NDArray[Any], entropy: NDArray[Any]
    ) -> dict[str, NDArray[Any]]:
        return {
            "digest": np.frombuffer(bytes.fromhex(self.digests[n]), np.uint8)[None],
            "class_ids": order[n : n + 1].astype(np.int32),
            "probabilities": top[n : n + 1].astype(np.float32),
            "confidence": top[n : n + 1, 0].astype(np.float32),
            "entropy": entropy[n : n + 1].astype(np.float32),
            "signals": self.signals[n : n + 1],
            "projection": self.projections[n : n + 1],
        }


def reference(count: int = 400, thumbnails: tuple[bytes, ...] = ()) -> Reference:
    """Of held-out images as `Images` draws them."""
    held_out, training = Images(count, seed=1), Images(count, seed=2)
    return Reference(
        classes=CLASSES,
        model_digest="d" * 64,
        temperature=1.0,
        centre=np.zeros(_WIDTH, np.float32),
        directions=np.eye(_WIDTH, dtype=np.float32),
        anchors=training.projections,
        anchor_labels=training.labels.astype(np.int32),
        projections=held_out.projections,
        probabilities=held_out.probabilities.astype(np.float16),
        signals=held_out.signals,
        labels=held_out.labels.astype(np.int32),
        digests=tuple(held_out.digests),
        names=tuple(f"<i>{n}</i>.png" for n in range(count)),
        thumbnails=thumbnails,
    )


def log(folder: Path, *parts: Images) -> None:
    """A file of the log for each part, an hour after the other."""
    for number, part in enumerate(parts):
        write_log_file(folder, part.entries(START + 3_600.0 * number))
