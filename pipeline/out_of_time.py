"""What is said of a run that ended by the clock."""

from typing import Final

from models.errors import OutOfTimeError
from pipeline.config import Config
from pipeline.outcome import Outcome
from pipeline.report.run_record import RunRecord
from pipeline.run_folder import read_run
from pipeline.workspace import Workspace

_GO_ON: Final = ("LabelCheck", "FeatureExtractor", "Tuner", "Trainer")
"""Stages that go on inside; any other begins anew."""


def out_of_time(config: Config, workspace: Workspace, record: RunRecord) -> Outcome:
    """The outcome of a run whose minutes were over.

    Args:
        config: of the run.
        workspace: of the run.
        record: its stages, the one that was stopped as the last.
    """
    stopped = next((stage.name for stage in record.stages if stage.state == "stopped"), "")
    where = f" in {stopped}" if stopped else ""
    again = ""
    if stopped and stopped not in _GO_ON and _stopped_before(workspace, record) == stopped:
        again = (
            " The run before ended there too, and this stage begins anew each time: raise "
            "limits.minutes, or the next run may end there again."
        )
    return Outcome(
        "out_of_time",
        f"The {config.limits.minutes:g} minutes of limits.minutes were over{where}. What is done "
        f"is kept: the same command goes on from there.{again}",
        OutOfTimeError.exit_code,
    )


def _stopped_before(workspace: Workspace, record: RunRecord) -> str:
    """The stage in which the run before was out of time; empty where it was not."""
    earlier = [folder for folder in workspace.run_folders() if folder.name < record.run_id]
    before = read_run(earlier[-1]) if earlier else None
    if before is None or before.status != "out_of_time":
        return ""
    return next(reversed(before.stages), "")
