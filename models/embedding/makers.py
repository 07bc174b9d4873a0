"""Who makes the embeddings that the store lacks: this process, at once, or others, in the end."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Final, Generic, TypeVar

from typing_extensions import override

from models.backbones import Backbone
from models.data.example_reader import ImageRecord, read_records
from models.data.record_places import RecordPlace, record_places
from models.embedding.cache import EmbeddingStore
from models.embedding.elsewhere import Elsewhere, EmbeddingWork
from models.embedding.forward import Embedder
from models.embedding.pieces import Piece, embed_records
from models.embedding.saved_embedder import EMBEDDER_FOLDER, probe, save_embedder
from models.errors import GraftError

_FOLDER: Final = "work"
"""In the store's folder: what is to be embedded elsewhere."""

Needed = TypeVar("Needed")


class Maker(ABC, Generic[Needed]):
    """Makes embeddings, with what it needs for its work at hand."""

    IS_HERE: ClassVar[bool]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """All that is made is made inside the block."""
        yield

    @abstractmethod
    def offered(self, examples_uri: str, split: str) -> Iterator[tuple[ImageRecord, Needed]]:
        """Yields the images of a split, each with what `make` needs of it."""

    @abstractmethod
    def make(self, pending: Mapping[str, Needed]) -> None:
        """Sees to the embeddings of some images, which are computed together."""

    @abstractmethod
    def finish(self) -> None:
        """Returns when the store has all that was to be made."""


class MakerHere(Maker[ImageRecord]):
    """Embeds in this process."""

    IS_HERE = True

    def __init__(self, embedder: Embedder, store: EmbeddingStore) -> None:
        """Takes the backbone and where to keep what it makes."""
        self._embedder = embedder
        self._store = store

    @override
    def offered(self, examples_uri: str, split: str) -> Iterator[tuple[ImageRecord, ImageRecord]]:
        return ((record, record) for record in read_records(examples_uri, split))

    @override
    def make(self, pending: Mapping[str, ImageRecord]) -> None:
        embeddings = embed_records(self._embedder, list(pending.values()))
        self._store.add(list(pending), embeddings)

    @override
    def finish(self) -> None:
        """Nothing is left to do."""


class MakerElsewhere(Maker[RecordPlace]):
    """Notes the pieces of the work, and has them made elsewhere, all at once."""

    IS_HERE = False

    def __init__(
        self, elsewhere: Elsewhere, embedder: Embedder, backbone: Backbone, store: EmbeddingStore
    ) -> None:
        """Takes who does it, and with what."""
        self._elsewhere = elsewhere
        self._embedder = embedder
        self._backbone = backbone
        self._store = store
        self._folder = store.directory / _FOLDER
        self._pieces: list[str] = []
        self._images = 0

    @override
    @contextmanager
    def at_work(self) -> Iterator[None]:
        # One process writes at a time, so that what lies there was left by a kill.
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        try:
            yield
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    @override
    def offered(self, examples_uri: str, split: str) -> Iterator[tuple[ImageRecord, RecordPlace]]:
        records, places = read_records(examples_uri, split), record_places(examples_uri, split)
        return zip(records, places, strict=True)

    @override
    def make(self, pending: Mapping[str, RecordPlace]) -> None:
        name = f"{len(self._pieces):06d}"
        Piece(pending).write(self._folder / name)
        self._pieces.append(name)
        self._images += len(pending)

    @override
    def finish(self) -> None:
        if not self._pieces:
            return
        save_embedder(self._folder / EMBEDDER_FOLDER, self._embedder, self._backbone)
        self._elsewhere(
            EmbeddingWork(
                folder=self._folder,
                pieces=tuple(self._pieces),
                images=self._images,
                store=self._store.directory,
                probe=probe(self._embedder),
            )
        )
        missing = sum(self._not_there(name) for name in self._pieces)
        if missing:
            raise GraftError(
                f"Other machines were to embed {self._images:,} images, and {missing:,} of them "
                f"are not in {self._store.directory}. All need the same workspace at that path."
            )

    def _not_there(self, name: str) -> int:
        digests = list(Piece.read(self._folder / name).places)
        self._store.notice(digests)
        return len(self._store.missing(digests))
