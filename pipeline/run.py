"""One run of the pipeline: holds the workspace, runs the stages, judges, reports."""

import json
import logging
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from components.example_gen.sources.refusals import RefusedSourceError
from models.errors import BadDataError, GraftError, OutOfTimeError, kind_of
from models.large_imports import large_imports
from pipeline.chain import LAST_STAGE, NO_DATA_KEYS, after_chain
from pipeline.config import Config
from pipeline.config_file import as_yaml
from pipeline.failure import in_words, unwritable
from pipeline.fetched_paths import with_sources
from pipeline.image_fetch import fetch_images
from pipeline.needed.inputs import note_inputs
from pipeline.needed.plan import Plan, planned
from pipeline.out_of_time import out_of_time
from pipeline.outcome import Outcome, outcome
from pipeline.preflight import check_address, check_schema
from pipeline.refused_source import keep_account
from pipeline.report.run_record import RunRecord, Status
from pipeline.report.write import write_report
from pipeline.run_folder import CONFIG, LOG, SUMMARY
from pipeline.terminal.quiet import output_to
from pipeline.time_limit import OutOfTime, TimeLimit
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.terminal.display import Display

_log = logging.getLogger(__name__)


def run(
    config: Config, *, wait: bool, as_json: bool, until: str = "", if_needed: bool = False
) -> int:
    """Runs the pipeline once and prints how it went.

    Args:
        config: the effective configuration, with `data.path` set.
        wait: wait for another run on the workspace instead of refusing.
        as_json: print `summary.json` alone on standard output.
        until: name of the last stage to run; empty for all.
        if_needed: do nothing where data, code and configuration are those of the last run and the
            monitor wants no retraining; learn from labelled requests where it does.

    Returns:
        The exit code: see `graft --help`.

    Raises:
        WorkspaceBusyError: another run holds the workspace.
        UsageError: the search cannot be served at its address.
        GraftError: the workspace cannot be written; or, of the kind of the last run's failure, it
            is to run if needed and that is not tried again yet.
    """
    workspace = Workspace.of(config)
    with workspace.hold(wait=wait):
        trouble = _fetch_trouble(config)
        plan = planned(config, workspace) if if_needed and not trouble else Plan(config)
        if not plan.needed:
            return _answer_not_needed(plan, as_json)
        check_address(config)
        try:
            record, folder = _begin(plan.config, workspace, until)
            with _gone_if_unwritable(folder):
                if not until and not trouble:
                    note_inputs(config, folder, plan.trained_on)
                plan.note(workspace, folder.name)
            code = (
                _fail(trouble, folder, record)
                if trouble
                else _run_after_chain(plan.config, workspace, folder, record)
            )
            if config.retention.is_set and not until:
                _prune(config)
        except OSError as error:
            raise unwritable(error, workspace.root) from None
    told = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    if config.notifications.is_set:
        from pipeline.notifications.notify import notify

        for failure in notify(config, told, folder):
            print(f"graft: {failure}", file=sys.stderr)
    if config.tracking.mlflow and not until:
        from pipeline.tracking.track import track

        if failure := track(plan.config, record, told, folder):
            print(f"graft: {failure}", file=sys.stderr)
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        from pipeline.terminal.closing_lines import print_summary

        print_summary(told, folder)
    return code


def _fetch_trouble(config: Config) -> GraftError | None:
    """Why images could not be fetched: a run that fails for that is told like any other."""
    try:
        fetch_images(config)
    except GraftError as error:
        return error
    return None


def _run_after_chain(config: Config, workspace: Workspace, folder: Path, record: RunRecord) -> int:
    """Runs the links of the configuration's chain, if it has one, and then the stages."""
    begin = time.monotonic()
    try:
        config = after_chain(config, _run_link)
    except GraftError as error:
        record.seconds = time.monotonic() - begin
        return _fail(error, folder, record)
    record.config = with_sources(config).model_dump(mode="json")
    return _run_logged(config, workspace, folder, record)


def _fail(error: GraftError, folder: Path, record: RunRecord) -> int:
    """Reports on a run that failed before its stages; returns the exit code."""
    record.status = "out_of_time" if isinstance(error, OutOfTimeError) else "failed"
    record.reason, record.exit_code = str(error), error.exit_code
    with output_to(folder / LOG):
        write_report(record, folder)
    return error.exit_code


def _run_link(config: Config) -> RunRecord:
    """Trains a link of `model.chain`; see `pipeline.chain`."""
    workspace = Workspace.of(config)
    with workspace.hold(wait=True):
        record, folder = _begin(config, workspace, LAST_STAGE)
        code = _run_logged(config, workspace, folder, record)
    if code != 0:
        raise kind_of(code)(
            f"model.chain: the run on {config.data.path} did not come to a model. {record.reason} "
            f"{NO_DATA_KEYS if code == BadDataError.exit_code else ''}Its log is {folder / LOG}."
        )
    return record


def _begin(config: Config, workspace: Workspace, until: str) -> tuple[RunRecord, Path]:
    """Makes the folder of a run, with its configuration in it."""
    started = datetime.now(timezone.utc)
    folder = _new_folder(workspace, started)
    with _gone_if_unwritable(folder):
        (folder / CONFIG).write_text(as_yaml(config), encoding="utf-8")
    told = with_sources(config).model_dump(mode="json")
    return RunRecord(run_id=folder.name, started=started, config=told, until=until), folder


@contextmanager
def _gone_if_unwritable(folder: Path) -> Iterator[None]:
    """Takes away the folder of a run that could not begin, lest it be told as unfinished."""
    try:
        yield
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _prune(config: Config) -> None:
    from pipeline.retention.prune import prune_held

    try:
        prune_held(config, config.retention, delete=True)
    except GraftError as error:
        # What a run made is worth more than the room that something old takes.
        print(f"graft: the workspace was not pruned: {error}", file=sys.stderr)


def print_refusal(reason: str, exit_code: int, status: Status = "failed") -> None:
    """Prints the summary of a run that did not begin, or could not write its own.

    Args:
        reason: why, for the user.
        exit_code: of the command.
        status: how it ended.
    """
    # Imported here: where no run is needed, a person needs no summary, which takes NumPy.
    from pipeline.report.artifacts import Artifacts
    from pipeline.report.summary import summary

    now = datetime.now(timezone.utc)
    record = RunRecord("", now, {}, status=status, reason=reason, exit_code=exit_code)
    print(json.dumps(summary(record, Artifacts()), indent=2, ensure_ascii=False))


def _answer_not_needed(plan: Plan, as_json: bool) -> int:
    if plan.waits_for is not None:
        raise kind_of(plan.waits_for)(plan.reason)
    if as_json:
        print_refusal(plan.reason, 0, "not_needed")
    else:
        print(f"Not needed. {plan.reason}")
    return 0


def _new_folder(workspace: Workspace, started: datetime) -> Path:
    folder = workspace.runs / workspace.new_run_name(started)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise unwritable(error, workspace.root) from None
    return folder


def _run_logged(config: Config, workspace: Workspace, folder: Path, record: RunRecord) -> int:
    # Imported here: where no run is needed, nothing is displayed.
    from pipeline.terminal.display import Display
    from pipeline.terminal.stage_titles import TITLES

    begin = time.monotonic()
    with output_to(folder / LOG) as terminal, Display(terminal, TITLES) as display:
        display.say(f"Run {folder.name} in {workspace.root}")
        code = _run_stages(config, workspace, record, display, folder)
        display.say("Writing the report")
        record.seconds = time.monotonic() - begin
        write_report(record, folder)
    return code


def _run_stages(
    config: Config, workspace: Workspace, record: RunRecord, display: "Display", folder: Path
) -> int:
    """Runs the stages; fills in the record. Returns the exit code."""
    try:
        # Imported here: TFX takes seconds, and its noise belongs in the log.
        with large_imports():
            from pipeline.stage_runner import run_stages

        with TimeLimit(config.limits.minutes) as limit:
            check_schema(config)
            run_stages(config, workspace, record, display, limit)
        ended = _stage_done(record) if record.until else outcome(record.artifacts)
    except OutOfTime:
        _log.warning("the run is out of time")
        ended = out_of_time(config, workspace, record)
    except GraftError as error:
        _log.exception("the run failed")
        ended = Outcome("failed", str(error), error.exit_code)
        if isinstance(error, RefusedSourceError):
            record.artifacts |= keep_account(error, folder)
    except Exception as error:  # noqa: BLE001 - the last resort: words for the user, trace in the log
        _log.exception("the run failed")
        words = in_words(error, workspace.root, folder / LOG)
        ended = Outcome("failed", words, GraftError.exit_code)
    record.status, record.reason, record.exit_code = ended.status, ended.reason, ended.exit_code
    return ended.exit_code


def _stage_done(record: RunRecord) -> Outcome:
    return Outcome("stage_done", f"{record.until} is done, and all that it needs.", 0)
