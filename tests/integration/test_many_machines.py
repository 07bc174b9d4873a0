"""A warm search by Keras Tuner's chief and two workers, one of which is killed at its work."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port

SEARCH = '''
"""What every process runs: the environment says whether as the chief or as a worker."""

import json, os, sys, time
from pathlib import Path
import keras_tuner
import numpy as np
from models.oracles import leases
from models.oracles.leases import heartbeat
from models.oracles.warm.warm_start_oracle import WarmStartOracle
from models.history.past_search import PastSearch

folder = Path(sys.argv[1])
generator = np.random.default_rng(0)


class Clock:
    """An hour ahead once the victim is dead: how busy the machine is must not matter."""

    sleep = staticmethod(time.sleep)

    @staticmethod
    def monotonic():
        return time.monotonic() + 3600.0 * (folder / "killed").exists()


leases.time = Clock


def truth(values):
    return 1.0 - (values["rate"] - 0.7) ** 2 - 0.3 * (values["kind"] == "b")


class Tuner(keras_tuner.Tuner):
    """Its trials take moments, but the second worker never gets beyond its second one."""

    begun = 0

    def run_trial(self, trial, *args, **kwargs):
        self.begun += 1
        (folder / f"{self.tuner_id} began {trial.trial_id}").touch()
        with heartbeat(self.oracle, trial.trial_id, seconds=0.5):
            time.sleep(600 if self.tuner_id == "worker2" and self.begun == 2 else 0.5)
        return {"score": truth(trial.hyperparameters.values)}


space = keras_tuner.HyperParameters()
space.Float("rate", 0.0, 1.0)
space.Choice("kind", ["a", "b"])
earlier = [{"rate": float(generator.random()), "kind": "ab"[i % 2]} for i in range(20)]
past = PastSearch("earlier", tuple(earlier), np.array([truth(values) for values in earlier]))
oracle = WarmStartOracle(
    keras_tuner.Objective("score", "max"), 10, [past], hyperparameters=space, seed=1,
    trial_timeout=600.0,
)
tuner = Tuner(oracle, directory=folder, project_name="search")
tuner.search(verbose=0)
if os.environ["KERASTUNER_TUNER_ID"] == "chief":
    trials = {name: [each.status, each.hyperparameters.values, each.score]
              for name, each in oracle.trials.items()}
    told = {"trials": trials, "ended": oracle.end_order, "words": oracle.contribution().words}
    (folder / "found.json").write_text(json.dumps(told))
'''


class Cluster:
    """The processes of a search, all on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._port = free_port()
        names = ("chief", "worker1", "worker2")
        self.processes = {name: self._start(name) for name in names}

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "CUDA_VISIBLE_DEVICES": "-1",
            "KERASTUNER_TUNER_ID": name,
            "KERASTUNER_ORACLE_IP": "127.0.0.1",
            "KERASTUNER_ORACLE_PORT": str(self._port),
        }
        command = [sys.executable, "-c", SEARCH, str(self.folder)]
        return subprocess.Popen(command, env=environment)

    def began(self, worker: str) -> list[str]:
        """Numbers of the trials that a worker began, in order."""
        return sorted(path.name.split()[-1] for path in self.folder.glob(f"{worker} began *"))

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.stop()


@pytest.mark.slow
def test_the_trial_of_a_killed_worker_is_made_by_another(cluster: Cluster) -> None:
    victim = cluster.processes["worker2"]
    while len(cluster.began("worker2")) < 2:
        assert victim.poll() is None
        time.sleep(0.1)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    (cluster.folder / "killed").touch()
    lost = cluster.began("worker2")[-1]

    for name in ("worker1", "chief"):
        assert cluster.processes[name].wait(timeout=400) == 0
    found: dict[str, Any] = json.loads((cluster.folder / "found.json").read_text())
    assert sorted(found["ended"]) == sorted(found["trials"])
    assert len(found["trials"]) == 10
    assert {status for status, _, _ in found["trials"].values()} == {"COMPLETED"}
    assert len({json.dumps(values) for _, values, _ in found["trials"].values()}) == 10
    assert lost in cluster.began("worker1")
    assert "1 earlier" in found["words"]
    assert max(score for _, _, score in found["trials"].values()) > 0.99
