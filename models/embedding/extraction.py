"""Embeds what no earlier run has embedded, and writes every split."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Final

import numpy as np

from models import progress
from models.backbones import Backbone
from models.data.example_reader import ImageRecord
from models.data.image_decoding import ImageSpec
from models.data.record_places import count_records
from models.embedding import (
    EmbeddingInfo,
    EmbeddingSplit,
    EmbeddingStore,
    write_embeddings,
    write_info,
)
from models.embedding.cache import content_digest
from models.embedding.elsewhere import chosen_elsewhere
from models.embedding.forward import Embedder, embedding_key
from models.embedding.makers import Maker, MakerElsewhere, MakerHere

SHARD: Final = 256
"""Images between two writes to the store: what a kill can cost."""


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
    extraction = _Extraction(examples_uri, splits, backbone, spec, cache_directory)
    for split, embedded in _parted(splits, extraction.embedded()):
        write_embeddings(output_uri, split, embedded)
    info = EmbeddingInfo(
        backbone=backbone.name,
        weights=weights,
        weights_digest=backbone.weights_digest,
        image_size=spec.size,
        resize=spec.resize,
        features=backbone.features,
        dimension=backbone.dimension,
        images=extraction.done,
        computed=extraction.computed,
        reused=extraction.done - extraction.computed - extraction.identical,
        seconds=round(time.monotonic() - start, 3),
        key=embedding_key(backbone, spec),
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
    most: int | None = None,
) -> dict[str, EmbeddingSplit]:
    """The embeddings of some splits, by name; without an artifact.

    Args:
        examples_uri: directory of the Examples artifact.
        splits: names of the splits wanted.
        backbone: the feature extractor.
        spec: how an image becomes the backbone's square.
        cache_directory: of the store that outlives the run.
        most: images of a split, the first ones, whose order ingest drew; None for all.

    Raises:
        BadDataError: an image cannot be decoded; names it.
        UsageError: the backbone's features are no finite numbers.
        OSError: the cache cannot be written.
    """
    whole = embed_together(examples_uri, splits, backbone, spec, cache_directory, most)
    return dict(_parted(splits, whole))


def embed_together(
    examples_uri: str,
    splits: Sequence[str],
    backbone: Backbone,
    spec: ImageSpec,
    cache_directory: str,
    most: int | None = None,
) -> tuple[EmbeddingSplit, list[int]]:
    """The same as one, the splits one after the other, and the number of images of each.

    Args:
        examples_uri: as `embed_splits` has it, like all that follows.
        splits: names of the splits wanted.
        backbone: the feature extractor.
        spec: how an image becomes the backbone's square.
        cache_directory: of the store that outlives the run.
        most: images of a split; None for all.

    Raises:
        BadDataError: an image cannot be decoded; names it.
        UsageError: the backbone's features are no finite numbers.
        OSError: the cache cannot be written.
    """
    return _Extraction(examples_uri, splits, backbone, spec, cache_directory, most).embedded()


def _parted(
    splits: Sequence[str], embedded: tuple[EmbeddingSplit, list[int]]
) -> Iterator[tuple[str, EmbeddingSplit]]:
    whole, counts = embedded
    for split, count, end in zip(splits, counts, np.cumsum(counts).tolist(), strict=True):
        yield split, whole.rows(slice(end - count, end))


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
    """One pass over all splits, after which the store has them, and a count of the images."""

    def __init__(
        self,
        examples_uri: str,
        splits: Sequence[str],
        backbone: Backbone,
        spec: ImageSpec,
        cache_directory: str,
        most: int | None = None,
    ) -> None:
        self._examples_uri = examples_uri
        self._splits = splits
        self._most = most
        store = EmbeddingStore(cache_directory, embedding_key(backbone, spec), backbone.dimension)
        elsewhere = chosen_elsewhere()
        embedder = Embedder(backbone, spec)
        self._maker: Maker[Any] = (
            MakerElsewhere(elsewhere, embedder, backbone, store)
            if elsewhere
            else MakerHere(embedder, store)
        )
        self._store = store
        self._pending: dict[str, Any] = {}
        self._seen: set[str] = set()
        self.done = 0
        self.computed = 0

    def embedded(self) -> tuple[EmbeddingSplit, list[int]]:
        """The splits one after the other, and the number of images of each."""
        columns = _Columns()
        with self._maker.at_work():
            counts = [self._pass(split, columns) for split in self._splits]
            self._maker.finish()
        embedded = EmbeddingSplit(
            embeddings=self._store.mapped(columns.digests),
            labels=np.array(columns.labels, np.str_),
            names=np.array(columns.names, np.str_),
            sha256=np.array(columns.sha256, np.str_),
            groups=np.array(columns.groups, np.str_) if any(columns.groups) else None,
        )
        return embedded, counts

    def _pass(self, split: str, columns: _Columns) -> int:
        before = self.done
        offered = self._maker.offered(self._examples_uri, split)
        for record, needed in islice(offered, self._most):
            digest = content_digest(record.image)
            columns.append(record, digest)
            if digest not in self._seen and digest not in self._store:
                self._pending[digest] = needed
            self._seen.add(digest)
            self.done += 1
            if len(self._pending) >= SHARD:
                self._flush()
        self._flush()
        return self.done - before

    @cached_property
    def _total(self) -> int:
        counts = [count_records(self._examples_uri, split) for split in self._splits]
        return sum(counts if self._most is None else (min(each, self._most) for each in counts))

    @property
    def identical(self) -> int:
        """Images with the bytes of one that came before them."""
        return self.done - len(self._seen)

    def _flush(self) -> None:
        if self._pending:
            self._maker.make(self._pending)
        self.computed += len(self._pending)
        self._pending = {}
        reused = len(self._seen) - self.computed
        if self._maker.IS_HERE:
            progress.report(self.done, self._total, "images", f"{reused} embedded before")
