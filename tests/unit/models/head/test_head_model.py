from pathlib import Path

import keras
import numpy as np
import pytest

from models.head.head_model import build_head, statistics


@pytest.fixture
def embeddings() -> np.ndarray:
    generator = np.random.default_rng(0)
    values = generator.normal(5.0, [0.1, 1.0, 30.0, 1.0], (200, 4)).astype(np.float32)
    values[:, 3] = 7.0 + generator.normal(0.0, 1e-4, 200)  # dead, but for noise
    return values


def test_a_head_starts_undecided_and_gives_logits(embeddings: np.ndarray) -> None:
    logits = build_head(4, 3)(embeddings, training=False)
    assert logits.shape == (200, 3)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(logits), 0.0)


def test_features_are_standardised_and_a_dead_one_stays_quiet(embeddings: np.ndarray) -> None:
    mean, variance = statistics(embeddings)
    head = build_head(4, 2, mean=mean, variance=variance)
    standardised = keras.ops.convert_to_numpy(head.get_layer("standardisation")(embeddings))
    np.testing.assert_allclose(standardised.mean(axis=0), 0.0, atol=1e-3)
    assert 0.9 < standardised[:, 2].std() < 1.0
    assert np.abs(standardised[:, 3]).max() < 1e-3
    # Every feature is credited with a tenth of the mean variance.
    credited = np.sqrt(variance + 0.1 * variance.mean())
    np.testing.assert_allclose(standardised, (embeddings - mean) / credited, atol=1e-5)


def test_training_moves_the_head_but_not_the_statistics(embeddings: np.ndarray) -> None:
    mean, variance = statistics(embeddings)
    head = build_head(4, 2, mean=mean, variance=variance)
    labels = (embeddings[:, 1] > 5.0).astype(np.int64)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    head.compile(keras.optimizers.AdamW(0.03), loss, metrics=["accuracy"])
    head.fit(embeddings, labels, epochs=20, verbose=0)
    assert head.evaluate(embeddings, labels, verbose=0)[1] > 0.95
    statistics_after = head.get_layer("standardisation").get_weights()
    np.testing.assert_array_equal(statistics_after[0], mean)
    np.testing.assert_array_equal(statistics_after[1], variance)


def test_a_head_can_be_saved(embeddings: np.ndarray, tmp_path: Path) -> None:
    mean, variance = statistics(embeddings)
    head = build_head(4, 2, mean=mean, variance=variance)
    head.get_layer("logits").set_weights([np.ones((4, 2)), np.zeros(2)])
    head.save(tmp_path / "head.keras")
    again = keras.saving.load_model(tmp_path / "head.keras")
    np.testing.assert_allclose(again(embeddings), head(embeddings), atol=1e-6)
