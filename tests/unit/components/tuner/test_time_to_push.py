"""What is told of the time after a training."""

from pathlib import Path

import pytest
from labelled_examples import write_examples

from components.tuner.time_to_push import seconds_after_training
from models.backbone_choice.backbone_choice import Candidate
from models.data import example_schema
from models.search.costs import Costs, Pace

SMALL, LARGE = (
    Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=size)
    for size in (64, 128)
)


def _costs(rate: float = 1e-10, slowness: float = 1.0) -> Costs:
    return Costs(100, 50, 32, (0.25,), Pace(rate, slowness))


def _examples(folder: Path, test_images: int) -> str:
    images = [("a", f"{place}.png", bytes([place])) for place in range(test_images)]
    write_examples(folder, {example_schema.TEST: images})
    return str(folder)


def test_it_grows_with_the_test_images_and_with_the_size(tmp_path: Path) -> None:
    few, many = _examples(tmp_path / "few", 10), _examples(tmp_path / "many", 90)
    seconds = seconds_after_training(_costs(), SMALL, few)
    assert seconds < seconds_after_training(_costs(), SMALL, many)
    assert seconds < seconds_after_training(_costs(), LARGE, few)


def test_a_slower_machine_takes_as_much_longer(tmp_path: Path) -> None:
    examples = _examples(tmp_path / "examples", 10)
    seconds = seconds_after_training(_costs(), SMALL, examples)
    slow = seconds_after_training(_costs(rate=3e-10, slowness=3.0), SMALL, examples)
    assert slow == pytest.approx(3 * seconds)
