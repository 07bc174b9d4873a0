"""One run of the pipeline: holds the workspace, runs the stages, judges, reports."""

import errno
import json
import shutil
import time
import traceback
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from models.errors import GraftError
from pipeline.config import Config
from pipeline.config_file import as_yaml
from pipeline.outcome import Outcome, outcome
from pipeline.report.record import RunRecord
from pipeline.report.write import write_report
from pipeline.run_folder import CONFIG, LOG, SUMMARY
from pipeline.terminal.display import Display
from pipeline.terminal.quiet import output_to
from pipeline.terminal.stages import TITLES
from pipeline.workspace import Workspace

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def run(config: Config, *, wait: bool, as_json: bool) -> int:
    """Runs the pipeline once and prints how it went.

    Args:
        config: the effective configuration, with `data.path` set.
        wait: wait for another run on the workspace instead of refusing.
        as_json: print `summary.json` alone on standard output.

    Returns:
        The exit code: see `graft --help`.

    Raises:
        WorkspaceBusyError: another run holds the workspace.
        GraftError: the workspace cannot be written.
    """
    workspace = Workspace(Path(config.workspace))
    with workspace.hold(wait=wait):
        started = datetime.now(timezone.utc)
        folder = _new_folder(workspace, started)
        try:
            (folder / CONFIG).write_text(as_yaml(config), encoding="utf-8")
            with output_to(folder / LOG) as terminal:
                code = _run_logged(config, workspace, folder, started, terminal)
        except OSError as error:
            raise _unwritable(error, folder) from None
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    if as_json:
        print(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        from pipeline.terminal.summary import print_summary

        print_summary(summary, folder)
    return code


def _new_folder(workspace: Workspace, started: datetime) -> Path:
    name = started.astimezone().strftime("%Y%m%d-%H%M%S-%f")[:-3]
    folder = workspace.runs / name
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise _unwritable(error, folder) from None
    return folder


def _unwritable(error: OSError, folder: Path) -> GraftError:
    if error.errno == errno.ENOSPC:
        free = shutil.disk_usage(folder.parent).free // 2**20
        return GraftError(
            f"The disk is full ({free} MiB left at {folder.parent}). Make room; the "
            "same command then goes on where it stopped."
        )
    where = error.filename or folder
    return GraftError(f"{where} cannot be written: {error.strerror}.")


def _run_logged(
    config: Config, workspace: Workspace, folder: Path, started: datetime, terminal: TextIO
) -> int:
    record = RunRecord(run_id=folder.name, started=started, config=config.model_dump(mode="json"))
    begin = time.monotonic()
    with Display(terminal, TITLES) as display:
        display.say(f"Run {folder.name} in {workspace.root}")
        code = _run_stages(config, workspace, record, display, folder)
        display.say("Writing the report")
        record.seconds = time.monotonic() - begin
        write_report(record, folder)
    return code


def _run_stages(
    config: Config, workspace: Workspace, record: RunRecord, display: Display, folder: Path
) -> int:
    """Runs all stages; fills in the record. Returns the exit code."""
    # Imported here: TFX takes seconds, and its noise belongs in the log.
    from pipeline.stages import run_stages

    try:
        run_stages(config, workspace, record, display)
        ended = outcome(record.artifacts)
    except GraftError as error:
        traceback.print_exc()
        ended = Outcome("failed", str(error), error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last resort: words for the user, trace in the log
        traceback.print_exc()
        ended = Outcome("failed", _in_words(error, folder), GraftError.exit_code)
    record.status, record.reason = ended.status, ended.reason
    return ended.exit_code


def _in_words(error: Exception, folder: Path) -> str:
    if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
        return str(_unwritable(error, folder))
    cause = str(error).strip().partition("\n")[0] or "no message"
    return f"{type(error).__name__}: {cause} (the whole story is in {folder / LOG})"
