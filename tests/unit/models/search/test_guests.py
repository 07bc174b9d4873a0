"""Workers on other machines than the run's, which may lack what the run has."""

from pathlib import Path

import keras_tuner
import pytest

from models.backbone_choice.backbone_choice import Candidate
from models.errors import UsageError
from models.oracles.freeze_thaw_oracle import FreezeThawOracle
from models.search.joint_space import frozen_backbone
from models.search.search_task import SearchTask
from models.search.stretch_runner import StretchRunner
from models.search.workers import search_worker
from models.search.workers.messages import Report
from models.search.workers.search_server import LOOPBACK, serving
from models.search.workers.served_search import ServedSearch
from models.search.workers.stage import Stage
from models.training.training_settings import TrainingSettings


def test_a_guest_without_a_backbone_leaves_its_trial_to_others(tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "only-there.keras")
    lacked = Candidate(backbone="EfficientNetLite0", weights=elsewhere, image_size=32)
    task = SearchTask(
        examples_uri="nowhere",
        labels=("a", "b"),
        candidates=(lacked,),
        resize="stretch",
        features="all",
        training=TrainingSettings(),
        seed=0,
        embeddings="nowhere",
        activations=str(tmp_path / "activations"),
    )
    objective = keras_tuner.Objective("score", "max")
    oracle = FreezeThawOracle(objective, max_trials=3, pool=[frozen_backbone(lacked)])
    oracle._set_project_dir(str(tmp_path), "tuner")
    oracle.verbose = 0
    stage = Stage(oracle, StretchRunner(task, tmp_path / "search"))
    with serving(ServedSearch(mark="m", address=LOOPBACK, code="c", task=task), tmp_path) as server:
        server.stage = stage
        with pytest.raises(UsageError, match=r"cannot take part: .*only-there\.keras is no file"):
            search_worker.work(tmp_path, code="c")
        # Nobody has to wait until the guest counts for lost, and nothing has failed.
        answer = stage.next(Report(worker="run"))
    assert answer.values == {**frozen_backbone(lacked), "tuner/epochs": 1, "tuner/initial_epoch": 0}
    assert oracle.end_order == []
