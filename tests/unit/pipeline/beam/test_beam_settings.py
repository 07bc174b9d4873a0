"""What Beam is told."""

import importlib

from components.beam_worker import IN_THIS_PROCESS
from pipeline.beam.beam_settings import BeamSettings


def test_an_engine_of_the_users_is_the_only_one() -> None:
    arguments = BeamSettings(args=("--runner=FlinkRunner", "--parallelism=8")).arguments
    assert arguments[-2:] == ["--runner=FlinkRunner", "--parallelism=8"]
    # Ingest would give all images to one worker.
    assert IN_THIS_PROCESS not in arguments
    assert _runners(arguments) == 1


def test_other_arguments_leave_the_work_to_the_run() -> None:
    arguments = BeamSettings(args=("--job_name=photos",)).arguments
    assert arguments[-1] == "--job_name=photos"
    assert IN_THIS_PROCESS in arguments
    assert _runners(arguments) == 1


def test_several_processes_of_one_machine_keep_the_runner() -> None:
    arguments = BeamSettings(args=("--direct_running_mode=multi_processing",)).arguments
    assert IN_THIS_PROCESS not in arguments
    assert _runners(arguments) == 1


def _runners(arguments: list[str]) -> int:
    return sum(each.startswith("--runner") for each in arguments)


def test_worker_pools_have_a_runner_of_their_own() -> None:
    settings = BeamSettings(workers=("north:1", "[fd00::1]:2"), args=("--job_name=photos",))
    arguments = settings.arguments
    assert IN_THIS_PROCESS not in arguments
    assert arguments[-3:] == [
        "--worker_pool=north:1",
        "--worker_pool=[fd00::1]:2",
        "--job_name=photos",
    ]
    (name,) = (each.removeprefix("--runner=") for each in arguments if "WorkerPoolRunner" in each)
    module, _, runner = name.rpartition(".")
    assert hasattr(importlib.import_module(module), runner)
