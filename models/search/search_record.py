"""What a search did, for people to judge: `search.json`.

Format, version 1: one JSON object in UTF-8, a `SearchRecord`, beside the `history.jsonl` of the
same search. A reader ignores fields that it does not know, so fields may be added within a version;
a change of meaning makes a new one. The file is written in one step and never changed.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from models.backbone_choice.backbone_choice import Candidate
from models.errors import GraftError
from models.history.contribution import LeftOut
from models.history.records import Count, Seconds, Share, Size
from models.history.search_space import Frozen, Text, Value
from models.storage.atomic_write import write_atomically

FILE_NAME: Final = "search.json"


class Relative(Frozen):
    """An earlier task.

    Attributes:
        name: of its search, for people.
        apart: its distance.
    """

    name: Text
    apart: Annotated[float, Field(ge=0.0)]


class Step(Frozen):
    """What was known after a stretch.

    Attributes:
        seconds: that the search had spent by then, of all processes together.
        score: the best so far.
        accuracy: on the validation split, of the configuration that has it.
    """

    seconds: Seconds
    score: Share
    accuracy: Share


class TriedBackbone(Frozen):
    """What a backbone cost and brought.

    Attributes:
        candidate: with its image size.
        configurations: that were begun with it.
        accuracy: on the validation split, of the best of them; None where none came out.
        seconds: that they took, of all processes together.
        multiply_adds: for an image.
        chosen: whether the winner has it.
    """

    candidate: Candidate
    configurations: Count
    accuracy: Share | None
    seconds: Seconds
    multiply_adds: Size
    chosen: bool


class RefusedBackbone(Frozen):
    """A backbone that could not be had, and why."""

    candidate: Candidate
    reason: Text


class SearchRecord(Frozen):
    """The content of `search.json`.

    Attributes:
        version: of the format.
        budget: seconds that the search had; 0 where nothing was searched. Of all processes together
            where it is shared.
        spent: seconds that its trainings took, of all processes together.
        clock_seconds: by the clock; None in a record that does not tell them.
        is_shared: whether several processes trained at a time.
        usual_seconds: that the usual training was expected to take.
        training_seconds: that the final training was then expected to take.
        told_seconds: from the beginning of the search to the push, as they were told then; None
            where nothing was told.
        before_seconds: that the stage took until then.
        chosen: values of the configuration to train.
        words: why it was chosen.
        past: names of the earlier searches that were learned from.
        trusted: whether what they foretold held to the end; None without any.
        judged: whether enough was seen to tell whether it held.
        left_out: earlier searches that could not be learned from.
        steps: after each stretch.
        backbones: that were begun, the one that computes least first.
        refused: that could not be had.
        gain: of the score, to expect of ten more minutes; None where nobody can tell.
        related: earlier tasks whose fine-tuned backbones may be a better start.
    """

    version: Literal[1] = 1
    budget: Seconds
    spent: Seconds
    clock_seconds: Seconds | None = None
    is_shared: bool = False
    usual_seconds: Seconds
    training_seconds: Seconds
    told_seconds: Seconds | None = None
    before_seconds: Seconds = 0.0
    chosen: Annotated[dict[str, Value], Field(max_length=1000)]
    words: Text
    past: tuple[Text, ...] = ()
    trusted: bool | None = None
    judged: bool = True
    left_out: tuple[LeftOut, ...] = ()
    steps: tuple[Step, ...] = ()
    backbones: tuple[TriedBackbone, ...] = ()
    refused: tuple[RefusedBackbone, ...] = ()
    gain: Share | None = None
    related: tuple[Relative, ...] = ()

    @property
    def elapsed(self) -> float:
        """Seconds by the clock that the search took."""
        return self.spent if self.clock_seconds is None else self.clock_seconds


class SearchRecordError(GraftError):
    """A file that is no `search.json` of this version."""


def write_record(directory: Path, record: SearchRecord) -> None:
    """Writes `search.json` into a directory, in one step."""
    write_atomically(directory / FILE_NAME, record.model_dump_json(indent=1).encode())


def read_record(directory: Path) -> SearchRecord:
    """Reads `search.json` of a directory.

    Raises:
        SearchRecordError: there is none, or it is damaged or of another version.
    """
    path = directory / FILE_NAME
    try:
        return SearchRecord.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SearchRecordError(f"{path} does not tell of a search: {error}") from error
