"""A reference of a model that is no more than its shapes; no TensorFlow is needed for it."""

import numpy as np

from models.observation.reference import Reference
from models.observation.signal_names import IMAGE_SIGNALS

LABELS = ("dark", "naïve", "red")
WIDTH = 6
COMPONENTS = 4
TEMPERATURE = 1.7


def small_reference(images: int = 5) -> Reference:
    """A reference of that model, of images that nobody has seen."""
    rng = np.random.default_rng(0)
    return Reference(
        classes=LABELS,
        model_digest="d" * 64,
        temperature=TEMPERATURE,
        centre=rng.random(WIDTH, np.float32),
        directions=rng.random((WIDTH, COMPONENTS), np.float32),
        anchors=rng.random((images, COMPONENTS)).astype(np.float16),
        anchor_labels=np.zeros(images, np.int32),
        projections=rng.random((images, COMPONENTS)).astype(np.float16),
        probabilities=np.full((images, len(LABELS)), 1 / 3, np.float16),
        signals=np.zeros((images, len(IMAGE_SIGNALS)), np.float32),
        labels=np.zeros(images, np.int32),
        digests=tuple(f"{n:064x}" for n in range(images)),
        names=tuple(f"{n}.png" for n in range(images)),
    )
