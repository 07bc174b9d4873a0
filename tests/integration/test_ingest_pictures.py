"""What ingest makes of the pictures themselves, and what it remembers of them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from ingest_runs import Ingest, Ingested, ingest_in
from PIL import Image

from components.example_gen import shards
from models.data import example_schema
from models.data.example_reader import read_records
from models.data.normalisation import normalise
from models.data.sample_depth import SampleRange, read_sample_range
from models.errors import BadDataError


@pytest.fixture
def ingest(tmp_path: Path) -> Ingest:
    """Runs the component in a workspace of the test's own."""
    return ingest_in(tmp_path)


def test_images_of_a_night_before_are_written_without_decoding(
    ingest, digits, monkeypatch, tmp_path
):
    ingest(digits)
    shutil.copy(digits / "0" / "0000.png", digits / "1" / "again.png")
    Image.new("L", (9, 9), 77).save(digits / "1" / "new.png")
    decoded = []

    def watched(raw, *settings):
        decoded.append(raw)
        return normalise(raw, *settings)

    monkeypatch.setattr(shards, "normalise", watched)
    grown = _records(ingest(digits))
    assert decoded == [(digits / "1" / "new.png").read_bytes()]
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "metadata.db").unlink()
    assert grown == _records(ingest(digits))


def _records(found: Ingested) -> dict[str, bytes]:
    """Content of the files by split and name."""
    files = found.examples.glob("Split-*/*")
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in files}


def test_deep_images_are_scaled_by_the_range_of_the_whole_set(ingest, digits):
    dark, light = (np.full((8, 8), level, np.uint16) for level in (100, 1000))
    dark[0], light[0] = 0, 900
    Image.fromarray(dark).save(digits / "0" / "dark.png")
    Image.fromarray(light).save(digits / "1" / "light.tif")
    Image.fromarray(np.full((8, 8), np.nan, np.float32)).save(digits / "1" / "none.tif")
    found = ingest(digits)
    assert found.summary["sample_range"] == [0.0, 1023.0]
    assert read_sample_range(str(found.examples)) == SampleRange(0.0, 1023.0)
    assert found.summary["converted"] == {"16bit": 2, "tiff": 1}
    assert found.summary["images"] == 202
    assert found.refused == {"1/none.tif": "unsupported_depth"}
    assert _brightest(found) == {"0/dark.png": 25, "1/light.tif": 249}
    named = ingest(digits, sample_range=(0.0, 2000.0))
    assert named.summary["sample_range"] == [0.0, 2000.0]
    assert _brightest(named) == {"0/dark.png": 13, "1/light.tif": 128}


def test_floats_beside_16_bits_are_refused_rather_than_black(ingest, digits):
    grey = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    Image.fromarray(grey).save(digits / "0" / "float.tif")
    Image.fromarray((grey * 65535).astype(np.uint16)).save(digits / "1" / "whole.png")
    with pytest.raises(BadDataError, match=r"float samples .*'0/float.tif'.*'1/whole.png'"):
        ingest(digits)
    assert ingest(digits, ignore=("*.tif",)).summary["converted"] == {"16bit": 1}


def _brightest(found: Ingested) -> dict[str, int]:
    records = [
        record
        for split in example_schema.SPLITS
        for record in read_records(str(found.examples), split)
    ]
    names = [record.name for record in records]
    assert len(names) == len(set(names))
    return {
        record.name: int(tf.io.decode_image(record.image).numpy().max())
        for record in records
        if record.name in ("0/dark.png", "1/light.tif")
    }
