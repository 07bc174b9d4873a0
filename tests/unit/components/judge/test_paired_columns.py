"""Two models beside each other in a further label column."""

from pathlib import Path

import numpy as np
import pytest
from labelled_examples import write_examples
from small_exports import STATES, export, picture

from components.image_register import REGISTER_FILE, ImageRegister
from components.judge.paired_answers import Baseline, digests_of, paired_answers
from components.judge.predicting import AskedModels
from models.data.example_reader import derived_features


@pytest.fixture
def examples(tmp_path: Path) -> str:
    """Thirty test images, every third without a state."""
    images = [("red", f"{number}.png", picture(number)) for number in range(30)]
    states = [STATES[number % 2] if number % 3 else "" for number in range(30)]
    write_examples(tmp_path / "examples", {"test": images}, {"state": states})
    return str(tmp_path / "examples")


def test_both_are_asked_about_the_images_that_have_a_label_and_once(
    examples: str, tmp_path: Path
) -> None:
    old, new = (export(tmp_path / f"{seed}", seed, further=True) for seed in (1, 2))
    columns = derived_features(examples, "test")
    first = columns["sha256"][columns["name"] == "1.png"][0]
    learned = ImageRegister.of([(first, "train", "red")])
    learned.save(tmp_path / REGISTER_FILE)
    asked = AskedModels()
    answers = asked.of(new.uri, examples)["state"]
    digests = digests_of(examples, answers.names)
    baseline = Baseline(old.uri, str(tmp_path))
    paired = paired_answers(answers, digests, new.uri, examples, baseline, asked, "state")
    assert paired.left_out == 1
    assert paired.new.names == [name for name in answers.names if name != "1.png"]
    before = asked.of(old.uri, examples)["state"]
    rows = np.array(before.names) != "1.png"
    assert paired.old.right.tolist() == before.right[rows].tolist()
    assert paired.new.right.tolist() == answers.right[rows].tolist()
    assert asked.of(old.uri, examples) is asked.of(old.uri, examples)


def test_the_class_is_compared_where_the_other_model_answers_nothing_else(
    examples: str, tmp_path: Path
) -> None:
    old, new = export(tmp_path / "1", 1), export(tmp_path / "2", 2, further=True)
    asked = AskedModels()
    assert "state" not in asked.of(old.uri, examples)
    answers = asked.of(new.uri, examples)["label"]
    digests = digests_of(examples, answers.names)
    paired = paired_answers(answers, digests, new.uri, examples, Baseline(old.uri, None), asked)
    assert paired.new.names == answers.names
