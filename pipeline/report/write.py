"""Writes what a run leaves for people and machines.

`report.html`, `summary.json` and, where labels were weighed, `label_errors.json`.
"""

import json
from pathlib import Path

from components.artifact_names import CARD_FILE
from models.storage.atomic_write import write_atomically
from models.storage.seals import EXTRA
from pipeline.report.run_record import RunRecord
from pipeline.run_folder import REPORT, SUMMARY


def write_report(run: RunRecord, directory: Path) -> Path:
    """Writes the files, each in one step.

    Args:
        run: what is known of the run; any of its artifacts may be missing or damaged.
        directory: where the files go; made if it is missing.

    Returns:
        Path of the HTML file.

    Raises:
        OSError: the disk is full or the directory cannot be written.
    """
    # Imported here: they bring TensorFlow, which takes seconds and talks on standard error.
    from components.label_check.label_errors_file import write_label_errors
    from pipeline.report.artifact_reader import read_artifacts
    from pipeline.report.page import render_page
    from pipeline.report.reproduction import reproduction
    from pipeline.report.summary import summary

    found = read_artifacts(run)
    if found.label_errors is not None:
        write_label_errors(directory, found.label_errors)
    run.card = _card(run)
    run.reproduction = reproduction(run, found, directory.parent)
    content = json.dumps(summary(run, found), indent=2, ensure_ascii=False) + "\n"
    write_atomically(directory / SUMMARY, content.encode())
    write_atomically(directory / REPORT, render_page(run, found, directory).encode())
    return directory / REPORT


def _card(run: RunRecord) -> Path | None:
    path = Path(run.pushed_to or "") / EXTRA / CARD_FILE
    return path if run.pushed_to and path.is_file() else None
