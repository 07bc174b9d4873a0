"""Scores one candidate on the sample, and takes its time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.backbone_chooser.sample import Sample
from components.feature_extractor.extraction import SHARD, embed_into
from models.backbone_choice.backbone_choice import Candidate, Contender, Measured
from models.backbone_choice.ridge_probe import quick_probe
from models.backbones import Backbone, build_backbone
from models.backbones.block_features import FeatureSource
from models.data.example_reader import ImageRecord
from models.data.image_decoding import ImageSpec, Resize
from models.embedding import EmbeddingStore
from models.embedding.cache import content_digest
from models.embedding.forward import BATCH_SIZE, Embedder, embedding_key
from models.embedding.timing import milliseconds_an_image

_ROUNDS_ALONE = 40
_ROUNDS_IN_BATCH = 8


@dataclass(frozen=True)
class Scorer:
    """Scores candidates on one sample.

    Attributes:
        sample: the same for all candidates.
        resize: how a rectangle becomes a square.
        features: of the backbones that are asked about.
        cache_directory: of the store that FeatureExtractor reads, so that the chosen candidate's
            sample is not embedded again.
    """

    sample: Sample
    resize: Resize
    features: FeatureSource
    cache_directory: str

    def score(self, candidate: Candidate) -> Contender:
        """Embeds the sample, probes it, and times the backbone.

        Args:
            candidate: with its image size in pixels.

        Raises:
            UsageError: the backbone cannot be built, or its weights cannot be had.
            BadDataError: an image cannot be decoded; names it.
            OSError: the cache cannot be written.
        """
        backbone = build_backbone(
            candidate.backbone,
            candidate.weights,
            candidate.image_size,
            features=self.features,
        )
        spec = ImageSpec(backbone.image_size, self.resize)
        embedder = Embedder(backbone, spec)
        embeddings, labels = self._embedded(backbone, embedder, spec)
        probe = quick_probe(embeddings, labels)
        alone, in_batch = (
            milliseconds_an_image(embedder.forward, backbone.image_size, size, rounds)
            for size, rounds in ((1, _ROUNDS_ALONE), (BATCH_SIZE, _ROUNDS_IN_BATCH))
        )
        measured = Measured(
            candidate=candidate,
            weights_digest=backbone.weights_digest,
            dimension=backbone.dimension,
            accuracy=probe.accuracy,
            standard_error=probe.standard_error,
            milliseconds=alone,
            batch_milliseconds=in_batch,
        )
        return Contender(measured, probe.right)

    def _embedded(
        self, backbone: Backbone, embedder: Embedder, spec: ImageSpec
    ) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
        """Embeddings and labels of the sample, computed as far as the store lacks them."""
        key = embedding_key(backbone, spec)
        store = EmbeddingStore(self.cache_directory, key, backbone.dimension)
        digests: list[str] = []
        labels: list[str] = []
        pending: dict[str, ImageRecord] = {}
        for record in self.sample.records():
            digests.append(content_digest(record.image))
            labels.append(record.label)
            if digests[-1] not in store:
                pending[digests[-1]] = record
            if len(pending) >= SHARD:
                embed_into(store, embedder, pending)
                pending.clear()
        embed_into(store, embedder, pending)
        return store.get(digests), np.array(labels, np.str_)
