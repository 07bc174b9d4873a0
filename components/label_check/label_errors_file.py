"""The file of a LabelErrors artifact: `label_errors.json`."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from components.artifact_names import LABEL_ERRORS_FILE
from models.head.cleaning import MOST_OF_A_CLASS
from models.storage.atomic_write import write_atomically


class DoubtfulLabel(BaseModel):
    """An image and its label.

    Attributes:
        name: of the image.
        split: train or validation.
        label: that it has.
        suggested: class that the head takes it for.
        suggested_probability: that the head gives to that class, 0..1.
        label_probability: that it gives to the label.
        is_suspect: whether the label is taken for wrong.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    split: str
    label: str
    suggested: str
    suggested_probability: float
    label_probability: float
    is_suspect: bool


class FoundLabelErrors(BaseModel):
    """What was found, and what follows from it.

    Attributes:
        examples: folder of the examples, relative to that of all artifacts.
        images: number of those whose label was weighed.
        unchecked: number of those whose class has too few images for that.
        suspects: number of those whose label is taken for wrong.
        reason: why images are left out, or none, in words.
        left_out: names of the images that are left out of training and validation.
        doubtful: all suspects and the most doubtful tenth of the images, the most doubtful first.
        weighed: class to the number of its images whose label was weighed.
    """

    model_config = ConfigDict(frozen=True)

    examples: str
    images: int
    unchecked: int
    suspects: int
    reason: str
    left_out: tuple[str, ...]
    doubtful: tuple[DoubtfulLabel, ...]
    weighed: Mapping[str, int] = {}

    @property
    def share(self) -> float:
        """Of the weighed images, those whose label is taken for wrong, 0..1."""
        return self.suspects / max(self.images, 1)

    @property
    def not_understood(self) -> tuple[str, ...]:
        """Classes of which most labels are taken for wrong, which is rather not so."""
        suspects = Counter(each.label for each in self.doubtful if each.is_suspect)
        counts = sorted(self.weighed.items())
        return tuple(label for label, all_ in counts if suspects[label] > MOST_OF_A_CLASS * all_)

    @property
    def words(self) -> str:
        """What was found, in a few words."""
        if not self.images:
            return "no label was weighed, as too few classes have enough images"
        done = f"{len(self.left_out):,} left out" if self.left_out else "none left out"
        found = f"{self.suspects:,} of {self.images:,} labels look wrong ({self.share:.1%})"
        return f"{found}, {done}" if self.suspects else f"no label of {self.images:,} looks wrong"


def write_label_errors(folder: Path, found: FoundLabelErrors) -> None:
    """Writes the file into the artifact's folder."""
    write_atomically(folder / LABEL_ERRORS_FILE, found.model_dump_json(indent=1).encode())


def read_label_errors(folder: Path) -> FoundLabelErrors:
    """Reads what `write_label_errors` wrote.

    Raises:
        OSError: there is no such file.
        ValueError: it is damaged.
    """
    return FoundLabelErrors.model_validate_json((folder / LABEL_ERRORS_FILE).read_bytes())


def left_out(uri: str | None) -> tuple[str, ...]:
    """Names of the images that are left out of training and validation.

    Args:
        uri: of a LabelErrors artifact; None where nobody looked.
    """
    return read_label_errors(Path(uri)).left_out if uri else ()
