import numpy as np
import pytest
from scipy.special import softmax

from models.head.calibration import calibration
from models.head.head_model import build_head, divide_logits


def told(images: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `sharpness` times too large, and the classes that they are drawn from."""
    random = np.random.default_rng(0)
    logits = random.normal(scale=2.0, size=(images, 5))
    classes = np.array([random.choice(5, p=row) for row in softmax(logits, axis=1)])
    return sharpness * logits, classes


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_too_much_or_too_little_sureness(sharpness: float) -> None:
    assert calibration(*told(4000, sharpness)).temperature == pytest.approx(sharpness, rel=0.1)


def test_it_says_what_it_gained() -> None:
    found = calibration(*told(2000, 3.0))
    assert found.loss_after < found.loss_before - 0.1
    assert found.error_after < 0.05 < found.error_before


def test_a_few_images_that_are_all_right_do_not_make_it_endlessly_sure() -> None:
    logits = 4.0 * np.eye(3)
    assert 0.5 < calibration(logits, np.arange(3)).temperature < 1.0
    assert calibration(logits[:1], np.array([2])).temperature < 2.0


def test_a_head_answers_with_its_logits_divided() -> None:
    head = build_head(4, 3)
    random = np.random.default_rng(0)
    weights = [random.normal(size=(4, 3)).astype(np.float32), np.ones(3, np.float32)]
    head.get_layer("logits").set_weights(weights)
    rows = random.normal(size=(2, 4)).astype(np.float32)
    before = np.asarray(head(rows))
    divide_logits(head, 2.0)
    np.testing.assert_allclose(np.asarray(head(rows)), before / 2.0, rtol=1e-5)
