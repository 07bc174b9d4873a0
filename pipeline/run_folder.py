"""The folder of one run: the names of its files, and how the run ended."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel

from components.class_changes import ClassChange

CONFIG: Final = "config.yaml"
LOG: Final = "log.txt"
SUMMARY: Final = "summary.json"
REPORT: Final = "report.html"


class _Metrics(BaseModel):
    accuracy: float | None = None


class _Model(BaseModel):
    version: int | None = None


class FoundClasses(BaseModel):
    """The classes that a run found.

    Attributes:
        classes: class to its number of images.
        changes: how they differed from those of the schema.
    """

    classes: dict[str, int]
    changes: tuple[ClassChange, ...]


class _Data(BaseModel):
    class_changes: FoundClasses | None = None


class RunResult(BaseModel):
    """What the list of runs tells of one.

    Attributes:
        status: as in `summary.json`; "unfinished" or "unknown" where that says nothing.
        reason: why.
        exit_code: of the command; None where an older Graft did not note it, or nothing did.
        metrics: its figures.
        model: what it pushed.
        data: what it found in the data.
        stages: those that it came to, by name, in order.
    """

    status: str
    reason: str = ""
    exit_code: int | None = None
    metrics: _Metrics = _Metrics()
    model: _Model = _Model()
    data: _Data = _Data()
    stages: dict[str, object] = {}


def read_run(folder: Path) -> RunResult:
    """Reads how a run ended, whatever is left of its summary.

    Args:
        folder: of the run.
    """
    try:
        return RunResult.model_validate_json((folder / SUMMARY).read_bytes())
    except FileNotFoundError:
        reason = "It was stopped before its end, or is still at work."
        return RunResult(status="unfinished", reason=reason)
    except (OSError, ValueError):
        return RunResult(status="unknown", reason=f"{folder / SUMMARY} is damaged.")
