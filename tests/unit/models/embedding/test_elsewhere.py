"""Embedding by somebody else than the code that asks for it, here in the same process."""

import shutil
from pathlib import Path

import pytest
from labelled_examples import write_examples

from models.backbones import Backbone, build_backbone
from models.data.image_decoding import ImageSpec
from models.embedding import EmbeddingInfo, extraction
from models.embedding.elsewhere import EmbeddingWork, embedding_elsewhere
from models.embedding.extraction import extract
from models.embedding.pieces import Piece, embed_piece
from models.embedding.saved_embedder import EMBEDDER_FOLDER, load_embedder
from models.errors import GraftError

SPLITS = ("train", "validation")


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return build_backbone("EfficientNetLite0", "imagenet", 32)


@pytest.fixture
def examples(digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ten and five images, the first of them in both splits."""
    monkeypatch.setattr(extraction, "SHARD", 4)
    images = [
        (path.parent.name, path.name, path.read_bytes())
        for path in sorted(digits_folder.glob("*/*.png"))[:14]
    ]
    write_examples(
        tmp_path / "examples", {"train": images[:10], "validation": [images[0], *images[10:]]}
    )
    return str(tmp_path / "examples")


def _extract(examples: str, backbone: Backbone, folder: Path) -> EmbeddingInfo:
    return extract(
        examples,
        SPLITS,
        backbone,
        "imagenet",
        ImageSpec(32),
        cache_directory=str(folder / "cache"),
        output_uri=str(folder / "embeddings"),
    )


def _embed_all(work: EmbeddingWork) -> None:
    embedder = load_embedder(work.folder / EMBEDDER_FOLDER)
    for name in work.pieces:
        embed_piece(Piece.read(work.folder / name), embedder, work.store)


def _arrays(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.suffix in (".npy", ".npz")
    }


def test_the_outcome_and_the_cache_are_those_of_this_process(
    examples: str, backbone: Backbone, tmp_path: Path
) -> None:
    here = _extract(examples, backbone, tmp_path / "here")
    asked: list[EmbeddingWork] = []

    def embed(work: EmbeddingWork) -> None:
        asked.append(work)
        _embed_all(work)

    with embedding_elsewhere(embed):
        elsewhere = _extract(examples, backbone, tmp_path / "elsewhere")
        _extract(examples, backbone, tmp_path / "elsewhere")
    assert [(work.images, len(work.pieces)) for work in asked] == [(14, 4)], "once is enough"
    assert _arrays(tmp_path / "elsewhere") == _arrays(tmp_path / "here")
    assert len(_arrays(tmp_path / "here" / "cache")) == 8
    counts = [(info.images, info.computed, info.identical) for info in (here, elsewhere)]
    assert counts == [(15, 14, 1)] * 2
    assert not list(tmp_path.rglob("work"))


def test_a_damaged_shard_is_made_again_elsewhere(
    examples: str, backbone: Backbone, tmp_path: Path
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    _extract(examples, backbone, here)
    damaged = sorted(here.rglob("*.features.npy"))[1]
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    shutil.copytree(here, elsewhere)
    _extract(examples, backbone, here)
    with embedding_elsewhere(_embed_all):
        info = _extract(examples, backbone, elsewhere)
    assert (info.computed, info.reused) == (1, 13)
    assert _arrays(elsewhere) == _arrays(here)


def test_images_that_nobody_embedded_are_missed(
    examples: str, backbone: Backbone, tmp_path: Path
) -> None:
    with (
        embedding_elsewhere(lambda _: None),
        pytest.raises(GraftError, match=r"were to embed 14 images, and 14 of them are not in"),
    ):
        _extract(examples, backbone, tmp_path)
    assert not list(tmp_path.rglob("work"))
