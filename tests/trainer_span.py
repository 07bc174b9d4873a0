"""A span of few new images, for a training that goes on from an earlier model."""

import hashlib
import shutil
from pathlib import Path

from trainer_inputs import write_embeddings
from training_digits import digit_paths, write_split

from components.image_register import REGISTER_FILE, ImageRegister
from models.data.example_schema import SPLITS
from models.embedding import read_embeddings


def new_span(folder: Path, digits_folder: Path) -> Path:
    """Few new images, the nines under another name: what an ingest and an embedding would leave."""
    span = folder / "span"
    if span.exists():
        return span
    paths = digit_paths(digits_folder)
    few = {
        "train": paths["train"][::12],
        "validation": paths["validation"][::4],
        "test": paths["test"],
    }
    renamed = span / "images"
    for split, images in few.items():
        for path in images:
            label = "nine" if path.parent.name == "9" else path.parent.name
            (renamed / split / label).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, renamed / split / label / path.name)
        write_split(span / "examples", split, sorted((renamed / split).glob("*/*")))
    _register(span / "examples", renamed)
    write_embeddings(span, folder / "cache")
    return span


def _register(examples: Path, images: Path) -> None:
    rows = [
        (hashlib.sha256(path.read_bytes()).hexdigest(), path.parts[-3], path.parts[-2])
        for path in images.glob("*/*/*.png")
    ]
    ImageRegister.of(rows).save(examples / REGISTER_FILE)


def register_embedded(folder: Path) -> None:
    """Notes which images the embeddings of a folder are of, as an ingest would have."""
    embedded = [(name, read_embeddings(folder / "embeddings", name)) for name in SPLITS]
    rows = [
        (digest, split, label)
        for split, found in embedded
        for digest, label in zip(found.sha256.tolist(), found.labels.tolist(), strict=True)
    ]
    ImageRegister.of(rows).save(folder / "examples" / REGISTER_FILE)
