"""What a process embeds that has the backbone from a folder."""

from pathlib import Path

import numpy as np
import pytest

from models import inference
from models.backbones import build_backbone
from models.data.image_decoding import ImageSpec
from models.embedding.forward import Embedder
from models.embedding.saved_embedder import load_embedder, probe, save_embedder

SPEC = ImageSpec(32, "pad")


@pytest.mark.parametrize("constants", [True, False], ids=["small", "large"])
def test_a_loaded_embedder_equals_the_saved_one_byte_for_byte(
    digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, constants: bool
) -> None:
    if not constants:  # as with a backbone that is too large for a graph
        monkeypatch.setattr(inference, "_CONSTANT_BYTES", 0)
    backbone = build_backbone("EfficientNetLite0", "imagenet", 32, features="all")
    embedder = Embedder(backbone, SPEC)
    save_embedder(tmp_path, embedder, backbone)
    loaded = load_embedder(tmp_path)
    images = [path.read_bytes() for path in sorted(digits_folder.glob("*/*.png"))[:37]]
    np.testing.assert_array_equal(loaded.embed(images), embedder.embed(images))
    assert loaded.spec == SPEC
    assert loaded.embed([]).shape == (0, backbone.dimension)
    assert probe(loaded) == probe(embedder)
    other = build_backbone("EfficientNetLite0", "none", 32, features="all")
    assert probe(Embedder(other, SPEC)) != probe(embedder)
