"""Tests of the coordinates that a linear head is solved in."""

import numpy as np

from models.head.preconditioner import Preconditioner
from models.head.principal_axes import principal_axes

RANDOM = np.random.default_rng(0)
ROWS = (RANDOM.standard_normal((3000, 40)) * 0.7 ** np.arange(40)).astype(np.float32)


def test_the_axes_are_those_of_the_whole_matrix() -> None:
    axes = principal_axes(ROWS, 8, passes=3)
    squares, directions = np.linalg.eigh(ROWS.T.astype(float) @ ROWS / len(ROWS))
    np.testing.assert_allclose(axes.squares, squares[::-1][:8], rtol=1e-4)
    turned = np.abs(axes.directions.T @ directions[:, ::-1][:, :8])
    np.testing.assert_allclose(turned, np.eye(8), atol=1e-2)


def test_rows_are_made_ready_a_block_at_a_time() -> None:
    shifted = principal_axes(ROWS + 5.0, 8, passes=3, prepared=lambda block: block - 5.0)
    plain = principal_axes(ROWS, 8, passes=3)
    np.testing.assert_allclose(shifted.squares, plain.squares, rtol=1e-3)


def test_the_way_back_leads_to_the_same_parameters() -> None:
    eased = Preconditioner(principal_axes(ROWS, 8, passes=1), 0.1, 1e-4, 1e-4)
    parameters = RANDOM.standard_normal((41, 3))
    np.testing.assert_allclose(eased.parameters(eased.easy(parameters)), parameters)
    # A slope along the easy coordinates is that along the parameters, taken through the transpose.
    other = RANDOM.standard_normal((41, 3))
    np.testing.assert_allclose(
        (eased.parameters(other) * parameters).sum(), (other * eased.parameters(parameters)).sum()
    )


def test_a_quadratic_loss_is_as_curved_one_way_as_another() -> None:
    axes = principal_axes(ROWS, 40, passes=1)
    eased = Preconditioner(axes, 0.1, 1e-4, 1e-4)
    curvature = 0.1 * (ROWS.T.astype(float) @ ROWS) / len(ROWS) + 1e-4 * np.eye(40)
    whole = np.zeros((41, 41))
    whole[:40, :40] = curvature
    easy = eased.parameters(eased.parameters(whole).T)
    np.testing.assert_allclose(easy[:40, :40], np.eye(40), atol=0.05)
    assert np.linalg.cond(curvature) > 100
