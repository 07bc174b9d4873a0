"""Decides whether a run is needed, from what the last one left and what the monitor says."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from models.errors import GraftError
from pipeline.config import Config
from pipeline.needed.inputs import Inputs, inputs_of, read_inputs
from pipeline.needed.retrainings import Retraining, Standing, retrainings, standing_decision
from pipeline.run_folder import RunResult, read_run
from pipeline.workspace import Workspace

_ENDED: Final = ("pushed", "not_blessed")
_HOUR: Final = 3600.0
_RETRY_HOURS: Final = 1.0


@dataclass(frozen=True)
class Need:
    """Whether to run.

    Attributes:
        needed: whether a run would come to anything new.
        reason: one sentence.
        retrain: the decision to act on; None where the run is needed without one.
        waits_for: exit code of the last run, which failed and is not tried again yet; None where
            nothing is waited for.
    """

    needed: bool
    reason: str
    retrain: Standing | None = None
    waits_for: int | None = None


def need(config: Config, workspace: Workspace, labelled: str) -> Need:
    """Says whether a run is needed. Imports neither TFX nor TensorFlow.

    Args:
        config: the effective configuration.
        workspace: where the runs are.
        labelled: digest of the labelled requests that a retraining would learn from; empty for
            none.

    Raises:
        GraftError: the data cannot be listed, or a file of the monitor is damaged.
        OSError: the data cannot be looked at.
    """
    wanted, hindrance = _retraining(config, workspace, labelled)
    known = [(folder, read_inputs(folder)) for folder in workspace.run_folders()]
    runs = [(folder, made) for folder, made in known if made is not None]
    if not runs:
        reason = "No run was made in this workspace yet."
        if known:
            reason = "No run in this workspace noted its data, code and configuration."
        return Need(True, reason, wanted)
    last = runs[-1]
    changed = _changed(inputs_of(config), *last)
    if changed:
        return Need(True, changed, wanted)
    unfinished = _unfinished(*last, labelled, [read_run(folder) for folder, _ in runs[-2:-1]])
    if unfinished is not None:
        return replace(unfinished, retrain=wanted if unfinished.needed else None)
    if wanted is not None:
        return Need(True, f"The monitor decided to retrain. {wanted.reason}", wanted)
    same = f"Data, code and configuration are those of run {last[0].name}."
    return Need(False, f"{same} {hindrance}")


def _retraining(config: Config, workspace: Workspace, labelled: str) -> tuple[Standing | None, str]:
    """The decision to act on; or None, and why there is none."""
    decision = standing_decision(workspace.monitoring)
    if decision.action != "retrain":
        return None, "No decision to retrain stands."
    past = retrainings(workspace.monitoring)
    hindrance = _hindrance(decision, past, labelled, config.monitoring.cooldown_hours)
    return (None, hindrance) if hindrance else (decision, "")


def _changed(now: Inputs, folder: Path, then: Inputs) -> str:
    changed = now.changed_since(then)
    return f"Changed since run {folder.name}: {', '.join(changed)}." if changed else ""


def _unfinished(
    folder: Path, made: Inputs, labelled: str, before: Sequence[RunResult]
) -> Need | None:
    """A run that failed is tried again, but not all the time: the same may fail again."""
    run = read_run(folder)
    if run.status in _ENDED:
        return None
    # The lines below the first tell of each finding: the report has them.
    reason = run.reason.partition("\n")[0]
    said = f"The last run, {folder.name}, did not end well ({run.status}): {reason}"
    if made.labelled not in ("", labelled):
        return Need(True, f"{said} The labels of requests that it learned from have changed since.")
    end = _end(folder.stat().st_mtime, _RETRY_HOURS)
    if run.status != "failed" or not end or _may_have_passed(run, before):
        return Need(True, said)
    waits = f"{said} Nothing has changed since; it is tried again from {end} on."
    return Need(False, waits, waits_for=run.exit_code or GraftError.exit_code)


def _may_have_passed(run: RunResult, before: Sequence[RunResult]) -> bool:
    """Whether it failed by the machine, and not twice in turn: a full disk, a bucket that is away.

    A scheduler that tries again at once must find a run then, not one that is not needed.
    """
    return run.exit_code == GraftError.exit_code and all(each.status != "failed" for each in before)


def _hindrance(
    decision: Standing, past: list[Retraining], labelled: str, cooldown_hours: float
) -> str:
    """Why a decision to retrain is not acted on; empty where it is."""
    of_episode = [each for each in past if each.episode == decision.episode]
    if of_episode:
        return (
            f"A decision to retrain stands, and run {of_episode[-1].run_id} acted on it: a "
            "retraining is made once for each episode. Look at the monitor's page."
        )
    end = _end(past[-1].at, cooldown_hours) if past else ""
    if end:
        return (
            "A decision to retrain stands; after the retraining before it, this waits until "
            f"{end} (monitoring.cooldown_hours)."
        )
    if not labelled:
        return (
            "A decision to retrain stands, but there is nothing new to learn from. Label requests "
            "(`graft labels --suggest 100`, then `graft labels FILE`; monitoring.keep_images has "
            "to be on), or add labelled images to the data."
        )
    if past and past[-1].trained_on == labelled:
        return (
            f"A decision to retrain stands, but run {past[-1].run_id} learned from the same "
            "labelled requests already and did not help. Label others first."
        )
    return ""


def _end(since: float, hours: float) -> str:
    """When a cooldown ends, in words; empty where it has ended, or a clock was ahead by more."""
    end = since + hours * _HOUR
    if abs(time.time() - since) >= hours * _HOUR:
        return ""
    return f"{datetime.fromtimestamp(end).astimezone():%Y-%m-%d %H:%M}"
