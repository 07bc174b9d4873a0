"""What ran in a workspace: the list of runs and their reports."""

import json
from pathlib import Path
from typing import Any

from models.errors import UsageError
from pipeline.config import Config
from pipeline.run_folder import REPORT, read_run
from pipeline.workspace import Workspace


def print_runs(config: Config, *, as_json: bool) -> int:
    """Prints a line for each run, oldest first: when, result, accuracy, version, reason.

    Args:
        config: with the workspace.
        as_json: print a JSON object a run instead, with keys of its `summary.json`.
    """
    workspace = Workspace.of(config)
    folders = workspace.run_folders()
    if as_json:
        for folder in folders:
            print(json.dumps(_as_json(folder), ensure_ascii=False))
        return 0
    if not folders:
        print(f"No runs yet in {workspace.root}. Start one: graft run --data DIR")
        return 0
    print(f"{'run':<20} {'result':<12} {'accuracy':>8} {'version':>7}  reason")
    for folder in folders:
        run = read_run(folder)
        accuracy = "" if run.metrics.accuracy is None else f"{run.metrics.accuracy:.3f}"
        version = "" if run.model.version is None else str(run.model.version)
        first_line = run.reason.partition("\n")[0]
        print(f"{folder.name:<20} {run.status:<12} {accuracy:>8} {version:>7}  {first_line}")
    return 0


def _as_json(folder: Path) -> dict[str, Any]:
    run = read_run(folder)
    told = run.model_dump(include={"status", "reason", "exit_code", "metrics", "model"})
    return {"run_id": folder.name, **told}


def print_report(config: Config, run_id: str | None) -> int:
    """Prints the path of a run's report, the latest one's if `run_id` is None.

    Raises:
        UsageError: there is no such run or it has no report.
    """
    workspace = Workspace.of(config)
    with_report = [path for path in workspace.run_folders() if (path / REPORT).is_file()]
    chosen = [path for path in with_report if run_id in (None, path.name)]
    if not chosen:
        known = ", ".join(path.name for path in with_report[-5:])
        which = f"run {run_id}" if run_id else "any run"
        mend = (
            f"There are those of {known}."
            if known
            else "A run writes one in the end: `graft run --data DIR`; --workspace names another "
            "place."
        )
        raise UsageError(f"There is no report of {which} in {workspace.root}. {mend}")
    print(chosen[-1] / REPORT)
    return 0
