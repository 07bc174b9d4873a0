"""The benchmark of ingest runs on any folder of images."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import ingest


def test_it_prints_all_rates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    for number in range(24):
        folder = tmp_path / f"class {number % 2}"
        folder.mkdir(exist_ok=True)
        pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    monkeypatch.setattr(sys, "argv", ["ingest", "--data", str(tmp_path), "--rounds", "1"])
    ingest.main()
    lines = capsys.readouterr().out.splitlines()
    figures = {line.rsplit(maxsplit=1)[0].strip(): float(line.split()[-1]) for line in lines}
    assert figures["images"] == 24
    # Of so few images the ratio may be rounded to nothing.
    assert len(figures) == 5
    assert figures["ingest again, images/s/core"] > 0
    assert figures["ingest, images/s/core"] > 0
    assert figures["decode_image, images/s/core"] > 0
