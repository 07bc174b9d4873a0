"""What is known of a run beside its artifacts."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pipeline.report.reproduction import Reproduction

Status = Literal["pushed", "not_blessed", "stage_done", "not_needed", "out_of_time", "failed"]


@dataclass
class StageRecord:
    """One stage of a run.

    Attributes:
        name: of the component.
        seconds: wall time, start-up of the component included.
        cached: whether an earlier run's result was taken.
        state: "done", "failed", "running", or "stopped" where the time was over.
    """

    name: str
    seconds: float
    cached: bool = False
    state: str = "done"


@dataclass
class RunRecord:
    """One run, filled in while it goes on.

    Attributes:
        run_id: name of the run's folder.
        started: when the run began, with the time zone.
        config: the effective configuration.
        until: name of the last stage to run, with those that it needs; empty for all.
        status: how it ended; "not_needed" where it was asked to run only if needed.
        reason: one sentence.
        exit_code: of the `graft` command.
        seconds: wall time of the whole run.
        stages: in the order in which they ran.
        artifacts: the report's name of an artifact, such as "model", to its directory. Any may be
            missing when a run failed.
        pushed_to: directory of the pushed version; None when nothing was pushed.
        published_to: URI of the same version in object storage; None when it is not there.
        version: number of that version.
        versions: of Graft (with its commit) and the libraries, by name.
        repairs: what was found damaged and was made again or left out, a sentence each.
        card: of the pushed model, a path; None where it has none; filled in for the report.
        reproduction: whether it came to the weights of an earlier run; filled in for the report.
    """

    run_id: str
    started: datetime
    config: dict[str, Any]
    until: str = ""
    status: Status = "failed"
    reason: str = "The run was stopped before its end."
    exit_code: int = 1
    seconds: float = 0.0
    stages: list[StageRecord] = field(default_factory=list)
    artifacts: dict[str, str] = field(default_factory=dict)
    pushed_to: str | None = None
    published_to: str | None = None
    version: int | None = None
    versions: dict[str, str] = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)
    card: Path | None = None
    reproduction: "Reproduction | None" = None
