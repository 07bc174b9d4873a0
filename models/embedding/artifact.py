"""The Embeddings artifact: `<split>.npy` and `<split>.npz` for each split, and `meta.json`.

The first holds the embeddings (float32 [n, d]) and is mapped, not read. The second holds the arrays
`labels`, `names` and `sha256` (unicode [n]), and `groups` where the data has some, uncompressed and
without pickles.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.backbones.block_features import FeatureSource
from models.embedding.mapped import read_rows, write_rows
from models.row_blocks import row_blocks

INFO_FILE: Final = "meta.json"


@dataclass(frozen=True)
class EmbeddingSplit:
    """Features of one split, in the order of its examples.

    Attributes:
        embeddings: float32 [n, d].
        labels: class names, unicode [n].
        names: paths relative to the data folder, unicode [n].
        sha256: hex digests of the files as supplied, unicode [n].
        groups: of the images that lie on one side of a split, unicode [n], empty for none; None
            where no image is in one.
    """

    embeddings: NDArray[np.float32]
    labels: NDArray[np.str_]
    names: NDArray[np.str_]
    sha256: NDArray[np.str_]
    groups: NDArray[np.str_] | None = None

    def rows(self, chosen: slice) -> "EmbeddingSplit":
        """Neighbouring images, without a copy."""
        groups = None if self.groups is None else self.groups[chosen]
        return EmbeddingSplit(
            self.embeddings[chosen],
            self.labels[chosen],
            self.names[chosen],
            self.sha256[chosen],
            groups if groups is not None and groups.any() else None,
        )


@dataclass(frozen=True, slots=True)
class EmbeddingInfo:
    """How the embeddings came about.

    Attributes:
        backbone: its name.
        weights: as configured: "imagenet", "none" or a path.
        weights_digest: SHA-256 over the weights' values.
        image_size: pixels.
        resize: "stretch", "pad" or "crop".
        features: "all" or "last"; see `models.backbones.block_features`.
        dimension: features of an image.
        images: in all splits together.
        computed: distinct images that the backbone ran over in this run.
        reused: images whose features were there already, from before.
        seconds: wall time of the extraction.
        key: names backbone, weights and preprocessing; equal keys give comparable features.
        identical: further images with the bytes of one that came before them; with `computed` and
            `reused` they are all.
    """

    backbone: str
    weights: str
    weights_digest: str
    image_size: int
    resize: str
    features: FeatureSource
    dimension: int
    images: int
    computed: int
    reused: int
    seconds: float
    key: str
    identical: int = 0


def write_embeddings(uri: str | Path, split: str, content: EmbeddingSplit) -> None:
    """Writes one split into the artifact's directory, a block of embeddings at a time.

    Raises:
        OSError: the disk is full or the directory cannot be written.
    """
    folder = Path(uri)
    folder.mkdir(parents=True, exist_ok=True)
    embeddings = content.embeddings
    write_rows(folder / f"{split}.npy", row_blocks(embeddings), embeddings.shape)
    arrays: dict[str, NDArray[Any]] = {
        "labels": np.asarray(content.labels, np.str_),
        "names": np.asarray(content.names, np.str_),
        "sha256": np.asarray(content.sha256, np.str_),
    }
    if content.groups is not None:
        arrays["groups"] = np.asarray(content.groups, np.str_)
    np.savez(folder / f"{split}.npz", allow_pickle=False, **arrays)


def read_embeddings(uri: str | Path, split: str) -> EmbeddingSplit:
    """Reads one split of the artifact; its embeddings are mapped.

    Raises:
        FileNotFoundError: the artifact has no such split.
    """
    embeddings = read_rows(Path(uri) / f"{split}.npy")
    with np.load(Path(uri) / f"{split}.npz", allow_pickle=False) as arrays:
        return EmbeddingSplit(
            embeddings,
            arrays["labels"],
            arrays["names"],
            arrays["sha256"],
            arrays.get("groups"),
        )


def write_info(uri: str | Path, info: EmbeddingInfo) -> None:
    """Writes `meta.json`."""
    text = json.dumps(asdict(info), indent=2, sort_keys=True)
    (Path(uri) / INFO_FILE).write_text(text, encoding="utf-8")


def read_info(uri: str | Path) -> EmbeddingInfo:
    """Reads `meta.json`."""
    return EmbeddingInfo(**json.loads((Path(uri) / INFO_FILE).read_text(encoding="utf-8")))
