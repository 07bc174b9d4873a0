"""One worker, without Beam around it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import tensorflow as tf
from labelled_examples import record_of

from components.beam_embedding.worker import RESULT, EmbedPieces, Task, own_code, read_failure
from components.beam_worker import process_name
from models.backbones import build_backbone
from models.data import example_schema
from models.data.example_reader import read_records
from models.data.image_decoding import ImageSpec
from models.data.record_places import record_places
from models.embedding import EmbeddingStore
from models.embedding.cache import content_digest
from models.embedding.forward import Embedder
from models.embedding.pieces import Piece
from models.embedding.saved_embedder import EMBEDDER_FOLDER, probe, save_embedder
from models.errors import BadDataError, GraftError
from models.storage.seals import tree_digest

SPEC = ImageSpec(32)


def _write(file: Path, images: dict[str, bytes]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for name, image in images.items():
            values = {
                example_schema.IMAGE: image,
                example_schema.LABEL: b"a",
                example_schema.NAME: name.encode(),
                example_schema.SHA256: b"0" * 64,
            }
            writer.write(record_of(values))


class Work:
    """Three pieces, of which the second has something that is no image."""

    def __init__(self, folder: Path, images: list[bytes], embedder: Path, told: str) -> None:
        self.folder, self.store = folder / "work", folder / "store" / "key"
        shutil.copytree(embedder, self.folder / EMBEDDER_FOLDER)
        self.task = Task(
            folder=str(self.folder),
            store=str(self.store),
            code=own_code(),
            embedder=tree_digest(self.folder / EMBEDDER_FOLDER),
            probe=told,
        )
        named = {f"{number}.png": image for number, image in enumerate(images[:8])}
        self.records = folder / "Split-train" / "records"
        _write(self.records, named | {"odd": b"no image"} | {"last": images[8]})
        records = read_records(str(folder), "train")
        self.digests = [content_digest(record.image) for record in records]
        places = list(record_places(str(folder), "train"))
        for name, rows in {"0": range(8), "1": range(8, 9), "2": range(9, 10)}.items():
            Piece({self.digests[row]: places[row] for row in rows}).write(self.folder / name)

    def embed(self, *names: str, **changes: str) -> GraftError | None:
        """What a worker meets with."""
        worker = EmbedPieces(replace(self.task, **changes))
        worker.setup()
        for name in names:
            worker.process(name)
        return read_failure(self.folder)

    @property
    def missing(self) -> list[str]:
        """What the store lacks."""
        return EmbeddingStore(self.store.parent, "key", 1280).missing(self.digests)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A saved embedder, and what it makes of noise."""
    folder = tmp_path_factory.mktemp("saved")
    backbone = build_backbone("EfficientNetLite0", "none", 32)
    embedder = Embedder(backbone, SPEC)
    save_embedder(folder, embedder, backbone)
    return folder, probe(embedder)


@pytest.fixture
def work(tmp_path: Path, digits_folder: Path, saved: tuple[Path, str]) -> Work:
    images = [path.read_bytes() for path in sorted(digits_folder.glob("*/*.png"))[:9]]
    return Work(tmp_path, images, *saved)


def test_it_says_what_it_embedded(work: Work) -> None:
    assert work.embed("0") is None
    assert work.missing == work.digests[8:]
    told = json.loads((work.folder / f"0{RESULT}").read_text())
    assert told == {process_name(): 8}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "0" * 16}, "has another Graft"),
        ({"embedder": "0" * 64}, "sees other weights"),
        ({"probe": "0" * 64}, "computes other features than the run"),
    ],
)
def test_one_that_is_not_like_the_run_is_refused(
    work: Work, changes: dict[str, str], words: str
) -> None:
    failure = work.embed("0", **changes)
    assert type(failure) is GraftError
    assert words in str(failure)
    assert process_name() in str(failure)
    assert work.missing == work.digests


def test_one_that_does_not_see_the_workspace_makes_none(work: Work, tmp_path: Path) -> None:
    elsewhere = tmp_path / "nowhere"
    with pytest.raises(GraftError, match=f"does not see {elsewhere}"):
        work.embed("0", folder=str(elsewhere))
    assert not elsewhere.exists()


def test_a_disk_that_takes_nothing_is_told(work: Work) -> None:
    work.store.parent.write_bytes(b"a file where a folder should be")
    assert "could not embed" in str(work.embed("0"))


def test_what_is_no_image_is_named_and_ends_the_work_of_all(work: Work) -> None:
    failure = work.embed("1", "2")
    assert isinstance(failure, BadDataError)
    assert "'odd' cannot be decoded" in str(failure)
    assert work.missing == work.digests


def test_other_records_are_refused(work: Work) -> None:
    content = bytearray(work.records.read_bytes())
    content[200] ^= 1
    work.records.write_bytes(content)
    assert "are not those that the run saw" in str(work.embed("0"))
    assert work.missing == work.digests
