"""Embedding in other processes than this one, where there are some.

Who wants embeddings does not know on which machines a run may work. Who knows it says so here, for
as long as it holds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EmbeddingWork:
    """What is to be embedded.

    Attributes:
        folder: of the pieces and the saved embedder; see `models.embedding.pieces`.
        pieces: names of the pieces.
        images: in all pieces together.
        store: folder that the embeddings belong into.
        probe: what this process' own embedder makes of noise (`saved_embedder.probe`).
    """

    folder: Path
    pieces: tuple[str, ...]
    images: int
    store: Path
    probe: str


Elsewhere = Callable[[EmbeddingWork], None]
"""Returns when all pieces are in the store; raises GraftError where they are not."""

_chosen: list[Elsewhere] = []


@contextmanager
def embedding_elsewhere(elsewhere: Elsewhere) -> Iterator[None]:
    """Has `elsewhere` embed all that is to be embedded inside the block, in whatever thread."""
    _chosen.append(elsewhere)
    try:
        yield
    finally:
        _chosen.remove(elsewhere)


def chosen_elsewhere() -> Elsewhere | None:
    """Who embeds; None for this process."""
    return _chosen[-1] if _chosen else None
