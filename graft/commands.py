"""What the commands do, for a program to call."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.history.tuning_history import TuningHistory


@dataclass(frozen=True)
class FinishedRun:
    """A run that has ended.

    Attributes:
        folder: with its configuration, log, summary and report.
        exit_code: as of the `graft` command: 0 pushed, 3 bad data, 4 not blessed, 1 failed.
    """

    folder: Path
    exit_code: int

    @property
    def summary(self) -> dict[str, Any]:
        """What `graft run --json` prints: status, reason, metrics, the pushed model and more."""
        from pipeline.run_folder import SUMMARY

        summary: dict[str, Any] = json.loads((self.folder / SUMMARY).read_bytes())
        return summary

    @property
    def report(self) -> Path:
        """The page about the run."""
        from pipeline.run_folder import REPORT

        return self.folder / REPORT


def run(
    data: Path | str | None = None,
    *,
    workspace: Path | str | None = None,
    config: Path | str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> FinishedRun:
    """Trains, evaluates and pushes a model, as `graft run` does.

        run("photos/", settings={"tuning.budget": "10m", "training.strategy": "fine_tune"})

    Args:
        data: the images; None where `config` names them.
        workspace: folder for all that is made; None: as `config` says, or `graft-workspace`.
        config: YAML file of configuration keys (`graft init` writes one with all of them).
        settings: values of other keys, by dotted name, paths as text or `Path`; they win over the
            file.

    Raises:
        GraftError: a key or value is not valid, or another run holds the workspace. What goes
            wrong in a stage is told by the summary instead.
    """
    from models.large_imports import thawed_after
    from models.storage.own_temporary import none_compiled_left
    from pipeline.config_file import load_config
    from pipeline.preflight import check
    from pipeline.run import run as run_pipeline
    from pipeline.workspace import Workspace

    _settle_numerics()
    overrides = {**_plain(settings or {}), **_paths({"data.path": data, "workspace": workspace})}
    effective = load_config(Path(config) if config else None, overrides)
    check(effective)
    with thawed_after(), none_compiled_left():
        code = run_pipeline(effective, wait=False, as_json=False)
    return FinishedRun(Workspace.of(effective).run_folders()[-1], code)


def serve(
    workspace: Path | str | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8500,
    rest_port: int = 8501,
) -> None:
    """Serves the pushed model until SIGTERM or SIGINT, as `graft serve` does.

    Args:
        workspace: folder that holds the runs; None: `graft-workspace`.
        host: address to bind to.
        port: of gRPC; 0 takes a free one.
        rest_port: of REST; 0 takes a free one.

    Raises:
        GraftError: nothing was pushed there yet, a port is taken, or the model does not load.
    """
    from pipeline.config_file import load_config
    from pipeline.request_log import request_log
    from pipeline.serve_command import serve as serve_model
    from pipeline.served_model import served
    from pipeline.server_place import Place
    from pipeline.workspace import Workspace

    _settle_numerics()
    config = load_config(None, _paths({"workspace": workspace}))
    model = served(config, config_named=False)
    log = request_log(Workspace.of(config), model.monitoring)
    serve_model(model, Place(host, port, rest_port), log=log)


def load_history(path: Path | str) -> "TuningHistory":
    """Reads the history of a search, as a run leaves it and `graft knowledge export` copies it.

    Args:
        path: of the file, or its URI in a bucket.

    Raises:
        HistoryError: the file cannot be read, or is no history; says what is wrong with it.
    """
    from models.history.tuning_history import read_history

    return read_history(path)


def _paths(given: Mapping[str, Path | str | None]) -> dict[str, str]:
    return {key: str(path) for key, path in given.items() if path is not None}


def _plain(value: Any) -> Any:
    """Paths as text, as a configuration file has them."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _settle_numerics() -> None:
    """As the commands do, but where the program has TensorFlow already it is settled."""
    from models.numerics import compute_with_onednn

    if "tensorflow" not in sys.modules:
        compute_with_onednn()
