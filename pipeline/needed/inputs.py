"""What decides how a run ends: data, code and configuration, as digests in the run's folder."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from components.schema_curator.curated_schema import curated_state, is_edited
from models.errors import GraftError
from models.storage.atomic_write import write_atomically
from pipeline import class_memory
from pipeline.config import Config
from pipeline.library_versions import versions
from pipeline.needed.data_stamp import data_stamp
from pipeline.workspace import Workspace

INPUTS: Final = "inputs.json"
_PACKAGES: Final = ("components", "models", "pipeline", "serving")
BESIDE: Final = {"kubeflow", "limits", "notifications", "retention", "tracking"}
"""Sections that change no result."""
_ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Inputs:
    """What a run is made from.

    Attributes:
        data: digest of the files' names, sizes and times.
        code: digest of Graft's modules and of the versions of its libraries.
        configuration: digest of the effective configuration, of a schema that was edited, and of
            what was accepted beside it.
        labelled: digest of the labelled requests that it learns from as well; empty for none.
    """

    data: str
    code: str
    configuration: str
    labelled: str = ""

    def changed_since(self, last: "Inputs") -> list[str]:
        """Names of what differs. New labels are no change: whether they are learned is decided."""
        names = ("data", "code", "configuration")
        return [name for name in names if getattr(self, name) != getattr(last, name)]


def inputs_of(config: Config) -> Inputs:
    """Looks at what a run would be made from.

    Raises:
        BadDataError: there is no data where the configuration says.
        UsageError: the schema file cannot be read.
        OSError: the data cannot be looked at.
    """
    text = config.model_dump_json(exclude=BESIDE)
    # What a run infers by itself is no change; what a person edits or accepts after it is one.
    schema = curated_state(config.schema_path)
    text += schema if is_edited(schema) else ""
    text += class_memory.forgotten(Workspace.of(config))
    configuration = hashlib.sha256(text.encode()).hexdigest()
    return Inputs(_data_stamps(config), _code(), configuration)


def _data_stamps(config: Config) -> str:
    """Of the data; of that of the chain before it, too, where there is one."""
    chain = [config.data.model_copy(update={"path": path}) for path in config.model.chain]
    return " ".join(data_stamp(each) for each in (config.data, *chain))


def _code() -> str:
    # Of Graft the modules count, not the commit, which changes with every word of its documents.
    libraries = {name: version for name, version in versions().items() if name != "graft"}
    digest = hashlib.sha256(json.dumps(libraries, sort_keys=True).encode())
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def note_inputs(config: Config, folder: Path, labelled: str = "") -> None:
    """Leaves in a run's folder what the run is made from, before it reads any of it.

    Args:
        config: of the user.
        folder: of the run.
        labelled: digest of the labelled requests that it learns from as well; empty for none.

    Raises:
        OSError: the folder cannot be written.
    """
    try:
        inputs = replace(inputs_of(config), labelled=labelled)
    except (GraftError, OSError):
        return  # the run itself says what is wrong with its data
    write_atomically(folder / INPUTS, json.dumps(asdict(inputs), indent=2).encode())


def read_inputs(folder: Path) -> Inputs | None:
    """What a run was made from; None where it did not come to say so."""
    try:
        return Inputs(**json.loads((folder / INPUTS).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
