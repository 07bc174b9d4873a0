"""The page of `graft predict --html`: pictures with their most likely classes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.answers import Writer, name_in_utf8
from pipeline.image_files import ImageFile
from pipeline.output_file import write_output
from pipeline.report.environment import environment
from pipeline.report.heat_picture import heat_picture
from pipeline.report.small_picture import jpeg_uri, small_picture
from serving.client import Answer, ExplainedAnswer

MOST_PICTURES: Final = 500
_MOST_ERRORS: Final = 200
_SIDE: Final = 160


@dataclass(frozen=True)
class _Shown:
    """An image on the page: its file, data URIs of small JPEGs, and what was answered.

    `heat` shows where the likeliest class was seen, and is empty where nobody asked for that.
    """

    name: str
    source: str
    heat: str
    answer: Answer


class AnswerPage(Writer):
    """Gathers answers, so many as a page can show, and writes the page in the end."""

    def __init__(self, file: Path, model_name: str) -> None:
        """Takes the place of the page, and the name of the model for its title."""
        self._file = file
        self._model_name = model_name
        self._shown: list[_Shown] = []
        self._errors: list[tuple[str, str]] = []
        self._classes: Counter[str] = Counter()
        self._failed = 0

    def answered(self, file: ImageFile, answers: Mapping[str, Answer]) -> None:
        """Keeps a small picture, where there is still room for one."""
        answer = next(iter(answers.values()))
        self._classes[answer.label] += 1
        if len(self._shown) < MOST_PICTURES:
            source, heat = small_picture(file.encoded, _SIDE), ""
            if isinstance(answer, ExplainedAnswer):
                heat = jpeg_uri(heat_picture(answer.seen, answer.heat, _SIDE))
            self._shown.append(_Shown(name_in_utf8(file.path), source, heat, answer))

    def failed(self, path: Path, error: str) -> None:
        """Keeps the reason, where there is still room for one."""
        self._failed += 1
        if len(self._errors) < _MOST_ERRORS:
            self._errors.append((name_in_utf8(path), error))

    def write(self) -> None:
        """Writes the page, which needs nothing from outside.

        Raises:
            GraftError: the file cannot be written.
        """
        page = environment().get_template("answers.html.j2")
        content = page.render(
            model=self._model_name,
            shown=self._shown,
            errors=self._errors,
            classes=self._classes.most_common(),
            classified=self._classes.total(),
            failed=self._failed,
        )
        write_output(self._file, content.encode("utf-8", "backslashreplace"))
