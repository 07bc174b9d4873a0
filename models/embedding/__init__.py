"""Features of the frozen backbone: computed once, kept, and handed on.

`models.embedding.forward` computes them (and needs TensorFlow), `models.embedding.store` keeps them
from run to run by content, `models.embedding.files` is the format of the Embeddings artifact. The
last two are plain NumPy and are offered here.
"""

from models.embedding.files import (
    EmbeddingInfo,
    EmbeddingSplit,
    read_embeddings,
    read_info,
    write_embeddings,
    write_info,
)
from models.embedding.store import EmbeddingStore

__all__ = [
    "EmbeddingInfo",
    "EmbeddingSplit",
    "EmbeddingStore",
    "read_embeddings",
    "read_info",
    "write_embeddings",
    "write_info",
]
