"""Embeds what no earlier run has embedded, and writes every split."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from models import progress
from models.backbones import Backbone
from models.data.example_reader import ImageRecord, count_records, read_records
from models.data.image_decoding import ImageSpec
from models.embedding import (
    EmbeddingInfo,
    EmbeddingSplit,
    EmbeddingStore,
    write_embeddings,
    write_info,
)
from models.embedding.cache import content_digest
from models.embedding.forward import Embedder, UndecodableImageError, embedding_key
from models.errors import BadDataError, UsageError

SHARD = 256
"""Images between two writes to the store: what a kill can cost."""


def embed_into(
    store: EmbeddingStore, embedder: Embedder, records: Mapping[str, ImageRecord]
) -> None:
    """Embeds some hundreds of images and keeps the embeddings.

    Args:
        store: of the embedder's key.
        embedder: the compiled backbone.
        records: content digest to image; possibly none.

    Raises:
        BadDataError: an image cannot be decoded; names it.
        UsageError: the backbone's features are no finite numbers.
        OSError: the store cannot be written.
    """
    images = list(records.values())
    try:
        embeddings = embedder.embed([record.image for record in images])
    except UndecodableImageError as error:
        name = images[error.position].name
        raise BadDataError(f"image {name!r} cannot be decoded: {error.reason}") from error
    broken = ~np.isfinite(embeddings).all(axis=1)
    if broken.any():
        raise UsageError(
            f"The backbone answers {int(broken.sum())} of {len(images)} images, such as "
            f"{images[int(broken.argmax())].name!r}, with what is no finite number: its weights "
            "are not right. Give others (model.weights)."
        )
    if images:
        store.add(list(records), embeddings)


def extract(
    examples_uri: str,
    splits: Sequence[str],
    backbone: Backbone,
    weights: str,
    spec: ImageSpec,
    *,
    cache_directory: str,
    output_uri: str,
) -> EmbeddingInfo:
    """Writes the embeddings of every split, and how they came about.

    Args:
        examples_uri: directory of the Examples artifact.
        splits: names of its splits.
        backbone: the feature extractor.
        weights: as configured; for the record.
        spec: how an image becomes the backbone's square.
        cache_directory: of the store that outlives the run.
        output_uri: directory of the Embeddings artifact.

    Returns:
        What is in the artifact's `meta.json`.

    Raises:
        BadDataError: an image cannot be decoded; names it.
        UsageError: the backbone's features are no finite numbers.
        OSError: the cache or the artifact cannot be written.
    """
    start = time.monotonic()
    key = embedding_key(backbone, spec)
    store = EmbeddingStore(cache_directory, key, backbone.dimension)
    total = sum(count_records(examples_uri, split) for split in splits)
    extraction = _Extraction(Embedder(backbone, spec), store, total)
    for split in splits:
        write_embeddings(output_uri, split, extraction.embedded(examples_uri, [split])[0])
    info = EmbeddingInfo(
        backbone=backbone.name,
        weights=weights,
        weights_digest=backbone.weights_digest,
        image_size=spec.size,
        resize=spec.resize,
        features=backbone.features,
        dimension=backbone.dimension,
        images=total,
        computed=extraction.computed,
        reused=total - extraction.computed - extraction.identical,
        seconds=round(time.monotonic() - start, 3),
        key=key,
        identical=extraction.identical,
    )
    write_info(output_uri, info)
    return info


def embed_splits(
    examples_uri: str,
    splits: Sequence[str],
    backbone: Backbone,
    spec: ImageSpec,
    cache_directory: str,
) -> dict[str, EmbeddingSplit]:
    """The embeddings of some splits, by name; without an artifact.

    Args:
        examples_uri: directory of the Examples artifact.
        splits: names of the splits wanted.
        backbone: the feature extractor.
        spec: how an image becomes the backbone's square.
        cache_directory: of the store that outlives the run.

    Raises:
        BadDataError: an image cannot be decoded; names it.
        UsageError: the backbone's features are no finite numbers.
        OSError: the cache cannot be written.
    """
    whole, counts = embed_together(examples_uri, splits, backbone, spec, cache_directory)
    ends = np.cumsum(counts).tolist()
    return {
        split: whole.rows(slice(end - count, end))
        for split, count, end in zip(splits, counts, ends, strict=True)
    }


def embed_together(
    examples_uri: str,
    splits: Sequence[str],
    backbone: Backbone,
    spec: ImageSpec,
    cache_directory: str,
) -> tuple[EmbeddingSplit, list[int]]:
    """The same as one, the splits one after the other, and the number of images of each.

    Args:
        examples_uri: as `embed_splits` has it, like all that follows.
        splits: names of the splits wanted.
        backbone: the feature extractor.
        spec: how an image becomes the backbone's square.
        cache_directory: of the store that outlives the run.

    Raises:
        BadDataError: an image cannot be decoded; names it.
        UsageError: the backbone's features are no finite numbers.
        OSError: the cache cannot be written.
    """
    store = EmbeddingStore(cache_directory, embedding_key(backbone, spec), backbone.dimension)
    total = sum(count_records(examples_uri, split) for split in splits)
    extraction = _Extraction(Embedder(backbone, spec), store, total)
    return extraction.embedded(examples_uri, splits)


@dataclass
class _Columns:
    """What is remembered of the images that pass by."""

    labels: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    def append(self, record: ImageRecord, digest: str) -> None:
        self.labels.append(record.label)
        self.names.append(record.name)
        self.sha256.append(record.sha256)
        self.groups.append(record.group)
        self.digests.append(digest)


class _Extraction:
    """One pass over all splits: a store that fills, and a count for the progress line."""

    def __init__(self, embedder: Embedder, store: EmbeddingStore, total: int) -> None:
        self._embedder = embedder
        self._store = store
        self._total = total
        self._pending: dict[str, ImageRecord] = {}
        self._seen: set[str] = set()
        self.done = 0
        self.computed = 0

    def embedded(
        self, examples_uri: str, splits: Sequence[str]
    ) -> tuple[EmbeddingSplit, list[int]]:
        """Some splits one after the other, and the number of images of each."""
        columns = _Columns()
        counts = [self._pass(examples_uri, split, columns) for split in splits]
        embedded = EmbeddingSplit(
            embeddings=self._store.mapped(columns.digests),
            labels=np.array(columns.labels, np.str_),
            names=np.array(columns.names, np.str_),
            sha256=np.array(columns.sha256, np.str_),
            groups=np.array(columns.groups, np.str_) if any(columns.groups) else None,
        )
        return embedded, counts

    def _pass(self, examples_uri: str, split: str, columns: _Columns) -> int:
        before = self.done
        for record in read_records(examples_uri, split):
            digest = content_digest(record.image)
            columns.append(record, digest)
            self._seen.add(digest)
            self.done += 1
            if digest not in self._store:
                self._pending[digest] = record
            if len(self._pending) >= SHARD:
                self._flush()
        self._flush()
        return self.done - before

    @property
    def identical(self) -> int:
        """Images with the bytes of one that came before them."""
        return self.done - len(self._seen)

    def _flush(self) -> None:
        embed_into(self._store, self._embedder, self._pending)
        self.computed += len(self._pending)
        self._pending.clear()
        reused = len(self._seen) - self.computed
        progress.report(self.done, self._total, "images", f"{reused} embedded before")
