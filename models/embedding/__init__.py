"""Features of the frozen backbone: computed once, kept, and handed on.

`models.embedding.forward` computes them (and needs TensorFlow), `models.embedding.cache` keeps them
from run to run by content, `models.embedding.artifact` is the format of the Embeddings artifact.
The last two are plain NumPy and are offered here.
"""

from models.embedding.artifact import (
    EmbeddingInfo,
    EmbeddingSplit,
    read_embeddings,
    read_info,
    write_embeddings,
    write_info,
)
from models.embedding.cache import EmbeddingStore

__all__ = [
    "EmbeddingInfo",
    "EmbeddingSplit",
    "EmbeddingStore",
    "read_embeddings",
    "read_info",
    "write_embeddings",
    "write_info",
]
