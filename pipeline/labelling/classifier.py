"""A pretrained network that answers with other classes than its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.backbones import build_backbone
from models.backbones.efficientnet_lite import imagenet_head
from models.data.image_decoding import ImageSpec
from models.embedding.forward import Embedder
from models.zero_shot.conse import confidences, shares
from models.zero_shot.meanings import Meaning


@dataclass(frozen=True)
class Answer:
    """What an image is taken for.

    Attributes:
        label: the likeliest class.
        confidence: in that, 0..1.
        imagenet: number of the likeliest of ImageNet's classes.
    """

    label: str
    confidence: float
    imagenet: int


class Classifier:
    """EfficientNet-Lite with its own head, and what its classes mean for those of `Meaning`."""

    def __init__(self, backbone: str, classes: Sequence[Meaning]) -> None:
        """Builds it.

        Args:
            backbone: EfficientNetLite0, 1 or 2.
            classes: that are known, at least one.

        Raises:
            UsageError: the file of the weights is damaged.
        """
        built = build_backbone(backbone, "imagenet")
        self._embedder = Embedder(built, ImageSpec(built.image_size))
        self._kernel, self._bias = imagenet_head(backbone)
        self._labels = [each.name for each in classes]
        self._shares = shares(
            np.stack([each.similarities for each in classes if each.similarities is not None])
        )

    def answer(self, images: Sequence[bytes]) -> list[Answer]:
        """Answers each image; keep them to some hundreds.

        Raises:
            UndecodableImageError: an image cannot be decoded.
        """
        logits = self._embedder.embed(images) @ self._kernel + self._bias
        sure = confidences(logits, self._shares)
        return [
            Answer(self._labels[int(row.argmax())], float(row.max()), int(own.argmax()))
            for row, own in zip(sure, logits, strict=True)
        ]
