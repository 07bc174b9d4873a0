"""The account of a source that was refused as a whole, kept in the folder of the run.

A component that fails leaves no artifact; what it found has to reach the report all the same.
"""

import json
from pathlib import Path
from typing import Final

from components.artifact_names import INGEST_FILE, QUARANTINE_FILE
from components.example_gen.quarantine import account, as_lines
from components.example_gen.sources.refusals import RefusedSourceError
from pipeline.outcome import ARTIFACT_KEYS

_FOLDER = "refused"
_ARTIFACTS: Final = {
    "data.path": ARTIFACT_KEYS["ImageExampleGen"]["quarantine"],
    "data.unlabelled": ARTIFACT_KEYS["UnlabelledImages"]["quarantine"],
    "data.target": ARTIFACT_KEYS["TargetImages"]["quarantine"],
}


def keep_account(error: RefusedSourceError, run_folder: Path) -> dict[str, str]:
    """Writes what became of everything that was offered.

    Args:
        error: what ingest raised.
        run_folder: of the run; the account is made in a folder in it.

    Returns:
        That folder, which holds the files of a Quarantine artifact, by the name that the report
        knows it by.
    """
    folder = run_folder / _FOLDER
    folder.mkdir()
    (folder / QUARANTINE_FILE).write_text(as_lines(error.left_out), encoding="utf-8")
    numbers = {**account(0, error.left_out), "classes": {}}
    (folder / INGEST_FILE).write_text(json.dumps(numbers, indent=2), encoding="utf-8")
    return {_ARTIFACTS[error.key]: str(folder)}
