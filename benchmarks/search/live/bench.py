"""The live comparison: each arm on each task for the same time, one after the other."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.search.live.drawn_task import DrawnTask, draw_task, write_task
from benchmarks.search.live.results import Key, Result, ResultFile
from benchmarks.search.live.situation import Situation
from components.code_fingerprint import code_fingerprint

_ROOT: Final = Path(__file__).parents[3]
_CODE: Final = (
    "benchmarks.search.live.arms",
    "benchmarks.search.live.fine_tuned",
    "benchmarks.search.live.judging",
    "benchmarks.keras_guide",
)
"""Modules that results follow from, with all of Graft's that they import."""
_SCRATCH: Final = "arm-"
"""Begins the name of an arm's folder, which goes when the arm has ended."""
_GRACE_SECONDS: Final = 600.0
"""Beside twice its time, for imports and test images, before an arm is killed."""


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        folders: data sets.
        arms: by name.
        seeds: number of them.
        images_a_class: to train and validate on, at most; None for all.
        minutes: that each arm has.
        cores: that each arm has.
        most_test: images to test on, at most.
        cache: folder of the results.
    """

    folders: Sequence[Path]
    arms: Sequence[str]
    seeds: int
    images_a_class: Sequence[int | None]
    minutes: float
    cores: int
    most_test: int
    cache: Path


RunArm = Callable[[str, Situation, int], dict[str, Any]]
"""From an arm's name, what it is given and the number of cores to its figures."""


class ArmError(Exception):
    """An arm that failed, or was killed as it took far too long."""


def run_process(arm: str, situation: Situation, cores: int) -> dict[str, Any]:
    """Runs an arm in a process of its own.

    Raises:
        ArmError: it failed; what it said is on standard error.
    """
    given, out = situation.scratch / "situation.json", situation.scratch / "figures.json"
    given.write_text(situation.model_dump_json())
    path = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.search.live.one_arm", arm, given, str(cores), out],
        env={**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"},
        start_new_session=True,
    )
    try:
        code = process.wait(2 * situation.seconds + _GRACE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ArmError(f"was killed after {error.timeout:.0f} s") from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if code or not out.exists():
        raise ArmError(f"ended with exit code {code}")
    figures: dict[str, Any] = json.loads(out.read_bytes())
    return figures


def compare(comparison: Comparison, run_arm: RunArm = run_process) -> tuple[list[Result], int]:
    """Runs all arms that have not ended before.

    Args:
        comparison: what is compared.
        run_arm: runs one.

    Returns:
        The results, and the number of arms that failed; those are tried again the next time.

    Raises:
        GraftError: a folder cannot be read as a data set.
    """
    for left in comparison.cache.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
    results = ResultFile(comparison.cache / "results.jsonl")
    code = code_fingerprint(*_CODE)
    keys, failed = [], 0
    for images_a_class in comparison.images_a_class:
        # All tasks with one seed first: what is stopped early knows many tasks.
        for seed in range(comparison.seeds):
            for folder in comparison.folders:
                task = draw_task(
                    folder, seed, images_a_class=images_a_class, most_test=comparison.most_test
                )
                for arm in comparison.arms:
                    key = Key(
                        task=task.name,
                        digest=task.digest,
                        images_a_class=images_a_class,
                        seed=seed,
                        arm=arm,
                        minutes=comparison.minutes,
                        cores=comparison.cores,
                        code=code,
                    )
                    keys.append(key)
                    if results.get(key) is None:
                        failed += not _run(key, task, comparison, run_arm, results)
    return results.of(keys), failed


def _run(
    key: Key, task: DrawnTask, comparison: Comparison, run_arm: RunArm, results: ResultFile
) -> bool:
    """Runs an arm and keeps what came of it; false where it failed."""
    folder = comparison.cache / "tasks" / f"{task.name}-{task.digest}"
    write_task(task, folder)
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=comparison.cache))
    situation = Situation(
        examples_uri=str((folder / "examples").absolute()),
        images=(folder / "images").absolute(),
        labels=task.files.labels,
        seed=key.seed,
        seconds=60 * key.minutes,
        scratch=scratch.absolute(),
    )
    name = f"{key.task}, {key.images_a_class or 'all'} images a class, seed {key.seed}, {key.arm}"
    try:
        result = Result(key=key, **run_arm(key.arm, situation, key.cores))
    except ArmError as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        return False
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    results.add(result)
    print(
        f"{name}: {result.accuracy:.3f} after {result.seconds:.0f} s; {result.chosen}", flush=True
    )
    return True
