import numpy as np

from models.row_blocks import ROWS, mean_and_variance, row_blocks


def test_blocks_are_views_of_all_rows():
    rows = np.arange(2 * (ROWS + 1)).reshape(-1, 2)
    blocks = list(row_blocks(rows))
    assert [len(block) for block in blocks] == [ROWS, 1]
    assert all(np.shares_memory(block, rows) for block in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks), rows)
    assert list(row_blocks(rows[:0])) == []


def test_mean_and_variance_are_those_of_numpy():
    rows = np.random.default_rng(0).normal(1000.0, 0.1, (2 * ROWS + 5, 3)).astype(np.float32)
    mean, variance = mean_and_variance(rows)
    np.testing.assert_allclose(mean, rows.mean(axis=0, dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(variance, rows.var(axis=0, dtype=np.float64), rtol=1e-10)
