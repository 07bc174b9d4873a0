import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from models.backbones import Backbone, build_backbone
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.embedding import (
    EmbeddingInfo,
    EmbeddingSplit,
    EmbeddingStore,
    mapped,
    read_embeddings,
    read_info,
    write_embeddings,
    write_info,
)
from models.embedding.cache import content_digest
from models.embedding.forward import Embedder, UndecodableImageError, embedding_key

SPEC = ImageSpec(32)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return build_backbone("EfficientNetLite0", "imagenet", 32)


@pytest.fixture(scope="module")
def images(digits_folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(digits_folder.glob("*/*.png"))[:70]]


class TestForward:
    def test_features_are_those_of_the_model_whose_statistics_stay(
        self, backbone: Backbone, images: list[bytes]
    ) -> None:
        before = [weight.numpy() for weight in backbone.model.weights]
        features = Embedder(backbone, SPEC).embed(images)
        assert features.dtype == np.float32
        assert features.shape == (70, 1280)
        decoded = np.stack([decode_and_resize(tf.constant(image), SPEC) for image in images])
        expected = backbone.model(decoded, training=False)
        np.testing.assert_allclose(features, expected, atol=1e-4)
        for weight, old in zip(backbone.model.weights, before, strict=True):
            np.testing.assert_array_equal(weight.numpy(), old)

    def test_the_batch_does_not_matter(self, backbone: Backbone, images: list[bytes]) -> None:
        embedder = Embedder(backbone, SPEC)
        parts = [embedder.embed(images[:4]), embedder.embed(images[4:9])]
        np.testing.assert_allclose(np.concatenate(parts), embedder.embed(images[:9]), atol=1e-4)

    def test_no_images(self, backbone: Backbone) -> None:
        assert Embedder(backbone, SPEC).embed([]).shape == (0, 1280)

    def test_what_is_no_image_is_named(self, backbone: Backbone, images: list[bytes]) -> None:
        with pytest.raises(UndecodableImageError, match="image 2 cannot be decoded") as caught:
            Embedder(backbone, SPEC).embed([*images[:2], b"text", images[3]])
        assert caught.value.position == 2

    def test_size_must_be_the_backbones(self, backbone: Backbone) -> None:
        with pytest.raises(ValueError, match="64 px"):
            Embedder(backbone, ImageSpec(64))

    def test_key_names_all_that_matters(self, backbone: Backbone) -> None:
        keys = {
            embedding_key(backbone, SPEC),
            embedding_key(backbone, ImageSpec(32, "pad")),
            embedding_key(backbone, ImageSpec(33)),
            embedding_key(replace(backbone, weights_digest="other"), SPEC),
            embedding_key(replace(backbone, name="other"), SPEC),
        }
        assert len(keys) == 5
        assert embedding_key(backbone, SPEC) in keys


class TestStore:
    @pytest.fixture
    def digests(self) -> list[str]:
        return [content_digest(bytes([number])) for number in range(6)]

    @pytest.fixture
    def values(self) -> np.ndarray:
        return np.arange(18, dtype=np.float32).reshape(6, 3)

    def test_added_embeddings_are_there_after_reopening(
        self, tmp_path: Path, digests: list[str], values: np.ndarray
    ) -> None:
        store = EmbeddingStore(tmp_path, "key", 3)
        store.add(digests[:2], values[:2])
        store.add(digests[2:4], values[2:4])
        again = EmbeddingStore(tmp_path, "key", 3)
        assert len(again) == 4
        assert again.missing([*digests, digests[5]]) == digests[4:]
        np.testing.assert_array_equal(again.get([digests[3], digests[0]]), values[[3, 0]])

    def test_keys_are_apart(self, tmp_path: Path, digests: list[str], values: np.ndarray) -> None:
        EmbeddingStore(tmp_path, "key", 3).add(digests, values)
        other = EmbeddingStore(tmp_path, "other", 3)
        assert digests[0] not in other
        with pytest.raises(KeyError):
            other.get(digests[:1])

    @pytest.mark.parametrize("left", ["features alone", "features cut", "index cut"])
    def test_half_a_shard_counts_as_none(
        self, tmp_path: Path, digests: list[str], values: np.ndarray, left: str
    ) -> None:
        """What a kill or a full disk may leave; the images are computed again and all is well."""
        EmbeddingStore(tmp_path, "key", 3).add(digests, values)
        (index,) = (tmp_path / "key").glob("*.index.npy")
        (features,) = (tmp_path / "key").glob("*.features.npy")
        if left == "features alone":
            index.unlink()
        else:
            damaged = features if left == "features cut" else index
            damaged.write_bytes(damaged.read_bytes()[:-30])
        store = EmbeddingStore(tmp_path, "key", 3)
        assert store.missing(digests) == digests
        store.add(digests, values)
        again = EmbeddingStore(tmp_path, "key", 3)
        np.testing.assert_array_equal(again.get(digests), values)

    def test_many_shards_hold_no_file_open(self, tmp_path: Path) -> None:
        """A span a night makes a thousand shards in a year, and may open as many files."""
        store = EmbeddingStore(tmp_path, "key", 3)
        digests = [content_digest(bytes([number])) for number in range(40)]
        values = np.arange(120, dtype=np.float32).reshape(40, 3)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for row, digest in enumerate(digests):
            store.add([digest], values[row : row + 1])
        for each in (store, EmbeddingStore(tmp_path, "key", 3)):
            assert each.missing(digests) == []
            np.testing.assert_array_equal(each.get(digests[::-1]), values[::-1])
            assert len(list(Path("/proc/self/fd").iterdir())) == before

    def test_a_shard_that_vanished_counts_as_none(
        self, tmp_path: Path, digests: list[str], values: np.ndarray
    ) -> None:
        store = EmbeddingStore(tmp_path, "key", 3)
        store.add(digests[:3], values[:3])
        (index,) = (tmp_path / "key").glob("*.index.npy")
        store.add(digests[3:], values[3:])
        index.unlink()
        assert store.missing(digests) == digests[:3]
        np.testing.assert_array_equal(store.get(digests[3:]), values[3:])

    @pytest.mark.parametrize("fits", [0, 1 << 20], ids=["in a file", "in memory"])
    def test_mapped_embeddings_are_the_same_and_leave_no_file(
        self,
        tmp_path: Path,
        digests: list[str],
        values: np.ndarray,
        monkeypatch: pytest.MonkeyPatch,
        fits: int,
    ) -> None:
        monkeypatch.setattr(mapped, "_FITS", fits)
        store = EmbeddingStore(tmp_path, "key", 3)
        store.add(digests, values)
        before = sorted(tmp_path.rglob("*"))
        several = digests * 1000
        np.testing.assert_array_equal(store.mapped(several), np.tile(values, (1000, 1)))
        assert sorted(tmp_path.rglob("*")) == before
        with pytest.raises(KeyError):
            store.mapped(["0" * 64])

    def test_address_is_the_content(self) -> None:
        assert content_digest(b"image") == hashlib.sha256(b"image").hexdigest()


class TestFiles:
    def test_a_split_survives(self, tmp_path: Path) -> None:
        content = EmbeddingSplit(
            np.ones((2, 3), np.float32),
            np.array(["naïve", "b"]),
            np.array(["a/1.png", 'b/"2"\n.png']),
            np.array(["0" * 64, "f" * 64]),
            np.array(["patient 1", ""]),
        )
        write_embeddings(tmp_path / "new", "train", content)
        again = read_embeddings(tmp_path / "new", "train")
        assert again.embeddings.dtype == np.float32
        for name in ("embeddings", "labels", "names", "sha256", "groups"):
            np.testing.assert_array_equal(getattr(again, name), getattr(content, name))

    def test_neighbours_are_a_view_and_have_groups_of_their_own(self) -> None:
        texts = np.array(["a", "b", "c"])
        whole = EmbeddingSplit(
            np.arange(6, dtype=np.float32).reshape(3, 2),
            texts,
            texts,
            texts,
            np.array(["", "g", ""]),
        )
        part = whole.rows(slice(1, 3))
        assert np.shares_memory(part.embeddings, whole.embeddings)
        assert part.names.tolist() == ["b", "c"]
        assert part.groups is not None
        assert part.groups.tolist() == ["g", ""]
        assert whole.rows(slice(1)).groups is None

    def test_an_empty_split_survives(self, tmp_path: Path) -> None:
        none = np.array([], np.str_)
        content = EmbeddingSplit(np.zeros((0, 3), np.float32), none, none, none)
        write_embeddings(tmp_path, "test", content)
        again = read_embeddings(tmp_path, "test")
        assert again.embeddings.shape == (0, 3)
        assert again.groups is None

    def test_info_survives(self, tmp_path: Path) -> None:
        info = EmbeddingInfo("B", "none", "d", 32, "pad", "last", 3, 5, 4, 1, 0.5, "k")
        write_info(tmp_path, info)
        assert read_info(tmp_path) == info
