"""One training on one device and on two: TensorFlow makes two of this machine's processors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.training.replicas import Replicas

TESTS = Path(__file__).parents[3]
BOTH = """
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from training_digits import digits_task, tiny_backbone
from models.training import top_trainer, train

# A backbone on several devices is built anew by its name, which this one has not.
top_trainer.build_backbone = lambda *_, **__: tiny_backbone()
digits, folder = map(Path, sys.argv[1:])
outcomes = {}
for devices in ("one", "all"):
    task = digits_task(
        digits,
        folder / devices,
        tiny_backbone(),
        devices=devices,
        batch_size=15,
        class_weights="balanced",
        augment=False,
        learning_rate=1e-3,
    )
    head, _ = train.train_head(task)
    before = [np.array(each) for each in task.backbone.model.get_weights()]
    top = top_trainer.TopTrainer(task, head.model, "float32").train(task)
    after = [*task.backbone.model.get_weights(), *head.model.get_weights()]
    moved = max(np.abs(old - new).max() for old, new in zip(before, after))
    assert moved > 1e-3, moved
    shared = [note for note in top.notes if "each step was shared by 2 devices" in note]
    assert len(shared) == (devices == "all"), top.notes
    outcomes[devices] = after, top.scores
(one, one_scores), (two, two_scores) = outcomes["one"], outcomes["all"]
for ours, theirs in zip(one, two, strict=True):
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
np.testing.assert_allclose(one_scores, two_scores, atol=1e-5)
"""


@pytest.mark.slow
def test_two_devices_come_to_what_one_comes_to(digits_folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BOTH, str(digits_folder), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": f"{TESTS.parent}:{TESTS}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_one_device_says_so_where_all_were_asked_for() -> None:
    assert Replicas("one", 32).note == ()
    assert Replicas("all", 1).note == ("all devices were asked for; one is used",)
