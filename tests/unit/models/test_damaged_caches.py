"""What only saves time is checked before it is used: damaged, it is as good as absent."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from training_digits import LABELS, write_split

from models.data.image_decoding import ImageSpec
from models.embedding import EmbeddingStore
from models.embedding.cache import content_digest
from models.history.records import Curve, Evaluation
from models.inference import compiled_forward
from models.search.trial_store import TrialStore
from models.search.workers.journal import Event, Journal
from models.training.activations import Activations, compute_activations
from models.training.image_split import ImageSplit
from models.training.training_state import TrainingState

DIGESTS = [content_digest(bytes([number])) for number in range(8)]
FEATURES = np.random.default_rng(0).normal(size=(8, 16)).astype(np.float32)


def flip(file: Path, position: int, bit: int = 6) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 1 << bit
    file.write_bytes(content)


@pytest.fixture
def shard(tmp_path: Path) -> tuple[Path, Path]:
    """Features and index of eight images."""
    EmbeddingStore(tmp_path, "key", 16).add(DIGESTS, FEATURES)
    (features,) = (tmp_path / "key").glob("*.features.npy")
    (index,) = (tmp_path / "key").glob("*.index.npy")
    return features, index


@pytest.mark.parametrize("which", [0, 1], ids=["features", "index"])
def test_no_flipped_byte_of_the_embeddings_is_used(
    shard: tuple[Path, Path], tmp_path: Path, which: int
) -> None:
    file = shard[which]
    whole = file.read_bytes()
    for position in range(len(whole)):
        flip(file, position, bit=position % 8)
        store = EmbeddingStore(tmp_path, "key", 16)
        there = [digest for digest in DIGESTS if digest in store]
        rows = [DIGESTS.index(digest) for digest in there]
        np.testing.assert_array_equal(store.get(there), FEATURES[rows])
        file.write_bytes(whole)
    assert EmbeddingStore(tmp_path, "key", 16).missing(DIGESTS) == []


def test_a_damaged_row_alone_is_computed_again(shard: tuple[Path, Path], tmp_path: Path) -> None:
    flip(shard[0], shard[0].stat().st_size - 1)
    store = EmbeddingStore(tmp_path, "key", 16)
    assert store.missing(DIGESTS) == DIGESTS[-1:]
    with pytest.raises(KeyError):
        store.get(DIGESTS)
    store.add(DIGESTS[-1:], FEATURES[-1:])
    np.testing.assert_array_equal(store.get(DIGESTS), FEATURES)


def test_shards_without_checksums_count_as_absent(shard: tuple[Path, Path], tmp_path: Path) -> None:
    np.save(shard[1], np.array(DIGESTS, "S64"))
    assert EmbeddingStore(tmp_path, "key", 16).missing(DIGESTS) == DIGESTS


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_finite_number_never_enters(tmp_path: Path, value: float) -> None:
    features = FEATURES.copy()
    features[3, 5] = value
    store = EmbeddingStore(tmp_path, "key", 16)
    with pytest.raises(ValueError, match="no finite numbers"):
        store.add(DIGESTS, features)
    assert len(store) == 0


def test_damaged_activations_are_computed_again(digits_folder: Path, tmp_path: Path) -> None:
    write_split(tmp_path / "examples", "train", sorted(digits_folder.glob("*/*.png"))[:5])
    split = ImageSplit(str(tmp_path / "examples"), "train", LABELS, ImageSpec(8))
    bottom = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.AveragePooling2D(4)])
    forward = compiled_forward(bottom)

    def computed() -> Activations:
        classes = split.classes()
        return compute_activations(forward, split, classes, tmp_path, views=2, mirror=False, seed=0)

    first = computed().all()
    (file,) = tmp_path.glob("*.npy")
    whole = file.read_bytes()
    for position in (0, len(whole) // 2, len(whole) - 1):
        flip(file, position)
        np.testing.assert_array_equal(computed().all(), first)
        assert file.read_bytes() == whole


def test_a_damaged_state_of_a_training_is_not_taken_up(tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    inputs = np.ones((4, 2), np.float32)
    data = tf.data.Dataset.from_tensor_slices((inputs, np.array([0, 1, 0, 1]))).batch(4)

    def training() -> tuple[keras.Model, TrainingState]:
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
        model.compile("adam", "sparse_categorical_crossentropy")
        model.optimizer.build(model.trainable_variables)
        state = TrainingState(file, np.array([0, 1, 0, 1]), epochs=1, patience=1)
        state.validate_by(lambda: model.predict_on_batch(inputs))
        return model, state

    model, state = training()
    state.set_model(model)
    state.on_epoch_begin(0)
    state.on_train_batch_end(0)
    model.fit(data, epochs=1, verbose=0)
    state.on_epoch_end(0, {"loss": 0.7})
    state.on_train_end()
    again, taken_up = training()
    taken_up.restore(again)
    assert taken_up.history.resumed_from == 1
    whole = file.read_bytes()
    for position in range(0, len(whole), len(whole) // 12):
        flip(file, position)
        again, fresh = training()
        before = again.get_weights()
        fresh.restore(again)
        assert fresh.history.resumed_from is None
        for old, new in zip(before, again.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
        file.write_bytes(whole)


def test_damaged_trials_are_made_again(tmp_path: Path) -> None:
    curve = Curve(train_loss=(1.0,), validation_loss=(1.0,), validation_accuracy=(0.5,))
    evaluation = Evaluation(
        seed=0,
        score=0.9,
        best_epoch=0,
        validation_loss=1.0,
        validation_accuracy=0.5,
        seconds=0.1,
        curve=curve,
    )
    store = TrialStore(tmp_path)
    store.put({"rate": 0.1}, evaluation)
    (file,) = tmp_path.iterdir()
    assert store.get({"rate": 0.1}, 0) == evaluation
    whole = file.read_bytes()
    for position in range(len(whole)):
        flip(file, position, bit=0)
        assert store.get({"rate": 0.1}, 0) is None
        file.write_bytes(whole)


def test_a_damaged_journal_counts_for_none(tmp_path: Path) -> None:
    file = tmp_path / "journal.json"
    Journal(file).add(Event(kind="began", trial=1, values={"rate": 0.1}))
    assert len(Journal(file).earlier) == 1
    flip(file, file.read_bytes().index(b"0.1") + 2, bit=1)
    assert Journal(file).earlier == []
