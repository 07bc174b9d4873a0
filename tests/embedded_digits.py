"""scikit-learn's digits as the artifacts that WarmTuner reads."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

from models.embedding import EmbeddingInfo, EmbeddingSplit, write_embeddings, write_info

PARTS = {"train": slice(0, 300), "validation": slice(300, 500), "test": slice(500, 700)}
"""Rows of each split."""


def label(digit: int) -> str:
    return f"digit {digit}"


def write_digits(folder: Path, digits: range) -> None:
    """Pixels as embeddings, with one test image of a class that training never saw."""
    images, classes = load_digits(return_X_y=True)
    for split, rows in PARTS.items():
        chosen = np.flatnonzero(np.isin(classes[rows], digits)) + rows.start
        labels = np.array([label(index) for index in classes[chosen]])
        if split == "test":
            labels[0] = "letter a"
        names = np.array([f"{split}/{number}.png" for number in range(len(labels))])
        hashes = np.array([f"{number:064d}" for number in chosen])
        content = EmbeddingSplit(images[chosen].astype(np.float32), labels, names, hashes)
        write_embeddings(folder, split, content)
    info = EmbeddingInfo(
        "pixels", "none", "0" * 64, 8, "stretch", "last", 64, 700, 700, 0, 0.1, "key"
    )
    write_info(folder, info)


def write_vocabulary(folder: Path, digits: range) -> None:
    """The one file of a transform graph that holds labels, by falling frequency."""
    assets = folder / "transform_fn" / "assets"
    assets.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(assets / "labels.tfrecord.gz"), "GZIP") as writer:
        for digit in reversed(digits):
            writer.write(label(digit).encode())
