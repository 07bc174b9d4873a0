"""A made model, images that it answers, and what may happen to them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.observation.reference import Reference
from monitoring.observations import Observations

CLASSES = tuple(f"class {number}" for number in range(6))
_COMPONENTS = 24
_CENTRES = np.random.default_rng(0).normal(0.0, 1.2, (len(CLASSES), _COMPONENTS))


def drawn(
    images: int,
    seed: int,
    *,
    brightness: float = 0.5,
    offset: float = 0.0,
    shares: NDArray[Any] | None = None,
    start: float = 0.0,
) -> Observations:
    """Answers to images, one a second.

    Args:
        images: how many.
        seed: of all random numbers.
        brightness: their mean.
        offset: by which every component is moved.
        shares: of the classes; equal ones if not given.
        start: time of the first.
    """
    random = np.random.default_rng(seed)
    classes = random.choice(len(CLASSES), images, p=shares)
    projections = _CENTRES[classes] + random.normal(offset, 1.0, (images, _COMPONENTS))
    logits = 2.0 * projections @ _CENTRES.T - (_CENTRES**2).sum(axis=1)
    served = np.exp(logits - logits.max(axis=1, keepdims=True))
    served /= served.sum(axis=1, keepdims=True)
    top = np.argsort(-served, axis=1)[:, :5].astype(np.int32)
    logs = np.log(np.maximum(served, 1e-30))
    pictures = random.normal(
        [brightness, 0.2, 0.1, 0.15, 0.02], [0.1, 0.04, 0.02, 0.03, 0.02], (images, 5)
    )
    digests = np.array([random.bytes(32).hex() for _ in range(images)], object)
    return Observations(
        times=start + np.arange(images, dtype=np.float64),
        request_ids=digests,
        rows=np.zeros(images, np.int32),
        digests=digests,
        class_ids=top[:, 0],
        top_ids=top,
        top_probabilities=np.take_along_axis(served, top, axis=1).astype(np.float32),
        confidences=served.max(axis=1).astype(np.float32),
        entropies=(-(served * logs).sum(axis=1)).astype(np.float32),
        signals=np.clip(pictures, [0, 0, 0, 0, -1], 1).astype(np.float32),
        projections=projections.astype(np.float16),
        weights=np.ones(images, np.float32),
    )


def reference(images: int = 300, seed: int = 1) -> Reference:
    """Held-out images of the same kind, and as many training images."""
    held_out, training = drawn(images, seed), drawn(300, seed + 1_000_000)
    served = np.zeros((images, len(CLASSES)))
    np.put_along_axis(served, held_out.top_ids, held_out.top_probabilities, axis=1)
    last = 15 - held_out.top_ids.sum(axis=1)
    served[np.arange(images), last] = np.maximum(1.0 - served.sum(axis=1), 0.0)
    return Reference(
        classes=CLASSES,
        model_digest="made",
        temperature=1.0,
        centre=np.zeros(_COMPONENTS, np.float32),
        directions=np.eye(_COMPONENTS, dtype=np.float32),
        anchors=training.projections,
        anchor_labels=training.class_ids,
        projections=held_out.projections,
        probabilities=served.astype(np.float16),
        signals=held_out.signals,
        labels=held_out.class_ids,
        digests=tuple(held_out.digests),
        names=tuple(held_out.digests),
    )
