"""A compiled backbone in a folder, for processes that embed without building it.

It holds the weights that it was saved with and the graph itself, so that nobody need have the file
that the weights came from, and nothing is built otherwise.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

import tensorflow as tf

from models.backbones import Backbone
from models.data.image_decoding import ImageSpec
from models.embedding.forward import BATCH_SIZE, GraphEmbedder

EMBEDDER_FOLDER: Final = "embedder"
"""Of the embedder in the folder of `models.embedding.elsewhere.EmbeddingWork`."""
_FILE: Final = "embedder.json"
_GRAPH: Final = "graph"


def save_embedder(folder: Path, embedder: GraphEmbedder, backbone: Backbone) -> None:
    """Writes an embedder.

    Args:
        folder: for it alone; is made.
        embedder: of the backbone.
        backbone: whose weights it has.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    module = tf.Module()
    module.forward = embedder.forward
    # Those of a large backbone are no constants of the graph.
    module.weights = [weight.value for weight in backbone.model.weights]
    tf.saved_model.save(module, str(folder / _GRAPH))
    told = {"spec": asdict(embedder.spec), "dimension": embedder.dimension}
    (folder / _FILE).write_text(json.dumps(told), "utf-8")


def load_embedder(folder: Path) -> GraphEmbedder:
    """Reads what `save_embedder` wrote.

    Raises:
        OSError: it cannot be read.
    """
    told = json.loads((folder / _FILE).read_text("utf-8"))
    graph = tf.saved_model.load(str(folder / _GRAPH))

    def forward(pixels: tf.Tensor) -> tf.Tensor:
        return graph.forward(pixels)  # its variables live as long as the graph is held

    return GraphEmbedder(forward, told["dimension"], ImageSpec(**told["spec"]))


def probe(embedder: GraphEmbedder) -> str:
    """Digest of what an embedder makes of one batch of noise, hex.

    It tells two processes apart whose weights are the same and whose processors or libraries round
    otherwise.
    """
    size = embedder.spec.size
    noise = tf.random.stateless_uniform((BATCH_SIZE, size, size, 3), seed=(0, 0), maxval=255.0)
    return hashlib.sha256(embedder.forward(noise).numpy().tobytes()).hexdigest()
