"""Small models with the form of Graft's exports, whose heads are drawn at random."""

import io
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from components.artifact_names import BODY, HEAD_FILE, SERVING_FOLDER, further_head_file
from components.exported_models.exported_model import ExportedModel
from models.data.image_decoding import ImageSpec
from models.export import FurtherColumn, export_model
from models.head.head_model import build_head

LABELS = ("blue", "green", "red")
STATES = ("broken", "new", "old")
_SIDE, WIDTH = 8, 6


def picture(number: int) -> bytes:
    """A PNG of noise."""
    pixels = np.random.default_rng(number).integers(0, 256, (_SIDE, _SIDE, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _backbone(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((_SIDE, _SIDE, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, keras.layers.Dense(WIDTH)(pooled))


def drawn_head(seed: int) -> keras.Model:
    """A head of three classes."""
    random = np.random.default_rng(seed)
    head = build_head(WIDTH, len(LABELS))
    weights = random.normal(size=(WIDTH, len(LABELS))), random.normal(size=len(LABELS))
    head.get_layer("logits").set_weights(weights)
    return head


def export(
    folder: Path, seed: int, body: str = "one", backbone: int = 0, further: bool = False
) -> ExportedModel:
    """A model whose head is of a seed, and the rest of another."""
    columns = [FurtherColumn("state", STATES, drawn_head(seed + 100))] if further else []
    trunk, head = _backbone(backbone), drawn_head(seed)
    outputs = keras.layers.Softmax()(head(trunk.outputs[0]))
    export_model(
        keras.Model(trunk.inputs[0], outputs),
        trunk.outputs[0],
        LABELS,
        ImageSpec(_SIDE),
        folder / SERVING_FOLDER,
        {"model_digest": f"{seed}", BODY: body},
        licence="",
        sample_range=None,
        max_pixels=10**6,
        further=columns,
    )
    (folder / HEAD_FILE).parent.mkdir(exist_ok=True)
    head.save(folder / HEAD_FILE)
    for column in columns:
        file = folder / further_head_file(column.name)
        file.parent.mkdir()
        column.head.save(file)
    return ExportedModel(str(folder))
