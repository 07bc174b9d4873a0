"""Work on embeddings cut into pieces, for processes that share a file system.

A piece has the images that one process would embed together, so that its embeddings are those of
one process, byte for byte, and so are the files of the store.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.data.example_reader import ImageRecord
from models.data.record_places import RecordPlace, read_places
from models.embedding.cache import add_shard, content_digest
from models.embedding.forward import GraphEmbedder, UndecodableImageError
from models.errors import BadDataError, GraftError, UsageError


@dataclass(frozen=True, slots=True)
class Piece:
    """Some hundreds of images.

    Attributes:
        places: of the images, by content digest.
    """

    places: Mapping[str, RecordPlace]

    def write(self, file: Path) -> None:
        """Writes it as text."""
        file.write_text(json.dumps(self.places), "utf-8")

    @classmethod
    def read(cls, file: Path) -> "Piece":
        """Reads what `write` wrote."""
        rows = json.loads(file.read_text("utf-8"))
        return cls({digest: RecordPlace(*place) for digest, place in rows.items()})


def embed_piece(piece: Piece, embedder: GraphEmbedder, store: Path) -> None:
    """Embeds a piece and adds it to the store.

    Args:
        piece: what to embed.
        embedder: the compiled backbone.
        store: its folder.

    Raises:
        BadDataError: an image cannot be decoded; names it.
        UsageError: the backbone's features are no finite numbers.
        GraftError: the records are not those that the piece was made of.
        OSError: the records cannot be read, or the store cannot be written.
    """
    try:
        images = list(read_places(piece.places.values()))
    except ValueError:
        images = []
    if [content_digest(record.image) for record in images] != list(piece.places):
        file = next(iter(piece.places.values())).file
        raise GraftError(
            f"The records in {file} are not those that the run saw. Every worker needs the "
            "workspace itself at that path, not a copy."
        )
    add_shard(store, list(piece.places), embed_records(embedder, images))


def embed_records(embedder: GraphEmbedder, images: Sequence[ImageRecord]) -> NDArray[np.float32]:
    """Embeds some hundreds of images.

    Args:
        embedder: the compiled backbone.
        images: possibly none.

    Returns:
        float32 [n, d], finite.

    Raises:
        BadDataError: an image cannot be decoded; names it.
        UsageError: the backbone's features are no finite numbers.
    """
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
    return embeddings
