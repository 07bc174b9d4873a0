"""A backbone as it is asked for, and `choice.json`, which says what a search chose.

The file, version 2, is one JSON object in UTF-8, a `BackboneChoice`. A reader ignores fields that
it does not know.
"""

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from models.errors import GraftError
from models.storage.atomic_write import write_atomically

FILE_NAME: Final = "choice.json"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Candidate(_Record):
    """A backbone as it is asked for: the arguments of `build_backbone`."""

    backbone: str
    weights: str
    image_size: int | None

    def __str__(self) -> str:
        side = f" at {self.image_size} px" if self.image_size else ""
        weights = "" if self.weights == "imagenet" else f" with weights {self.weights}"
        return f"{self.backbone}{side}{weights}"


class BackboneChoice(_Record):
    """The content of `choice.json`.

    Attributes:
        version: of the format.
        candidate: that was chosen.
        weights_digest: SHA-256 over its weights' values.
    """

    version: Literal[2] = 2
    candidate: Candidate
    weights_digest: str


class ChoiceError(GraftError):
    """A file that is no `choice.json` of this version."""


def write_choice(directory: Path, choice: BackboneChoice) -> None:
    """Writes `choice.json` into a directory."""
    write_atomically(directory / FILE_NAME, choice.model_dump_json(indent=2).encode())


def read_choice(directory: Path) -> BackboneChoice:
    """Reads `choice.json` of a directory.

    Raises:
        ChoiceError: there is none, or it is damaged or of another version.
    """
    path = directory / FILE_NAME
    try:
        return BackboneChoice.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ChoiceError(f"{path} is not a backbone choice: {error}") from error
