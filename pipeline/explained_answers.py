"""The pictures of `graft predict --explain`: where the model saw what it answers."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from models.errors import GraftError, UsageError
from models.storage.seals import DESCRIPTION
from pipeline.among_images import lies_among_images
from pipeline.answers import Writer
from pipeline.image_files import ImageFile
from pipeline.output_file import write_output
from pipeline.report.heat_picture import heat_picture
from pipeline.served_model import Served
from serving.client import Answer, ExplainedAnswer

_SIDE: Final = 448
_LETTERS: Final = 60
"""Of a file's name in that of its picture; a letter may have four bytes of the 255 of a name."""


class HeatPictures(Writer):
    """Writes a picture for each image, named by its place in the order and its file."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder, which is made.

        Raises:
            GraftError: it cannot be made.
        """
        self._folder = folder
        self._written = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GraftError(f"{folder} cannot be made: {error.strerror}.") from None

    def answered(self, file: ImageFile, answers: Mapping[str, Answer]) -> None:
        """Writes what speaks for the likeliest class.

        Raises:
            GraftError: the file cannot be written.
        """
        answer = next(iter(answers.values()))
        self._written += 1
        if not isinstance(answer, ExplainedAnswer):
            return
        path = self._folder / f"{self._written:04d}-{file.path.stem[:_LETTERS]}.jpg"
        write_output(path, heat_picture(answer.seen, answer.heat, _SIDE))

    def failed(self, path: Path, error: str) -> None:
        """There is nothing to show."""
        del path, error
        self._written += 1


def check_outside(folder: Path, paths: Iterable[Path]) -> None:
    """Makes sure that no picture is taken for an image that is to be classified.

    Args:
        folder: for the pictures.
        paths: what is classified.

    Raises:
        UsageError: the folder lies in one of them.
    """
    for path in paths:
        if lies_among_images(folder, path):
            raise UsageError(
                f"--explain: {folder} lies in {path}, of which all images are classified: its "
                "pictures would be, too. Name a folder elsewhere."
            )


def check_explains(model: Served) -> None:
    """Makes sure that the pushed model can say where it saw what it answers.

    Raises:
        UsageError: it cannot.
    """
    try:
        described = json.loads((model.newest / DESCRIPTION).read_text("utf-8"))
    except FileNotFoundError:  # a model of another tool
        described = {}
    if not described.get("explains"):
        raise UsageError(
            f"The served version {model.newest.name} cannot explain its answers: an earlier Graft "
            "or another tool made it. `graft run` makes one that can; without --explain this one "
            "answers too."
        )
