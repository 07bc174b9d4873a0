"""How `graft predict` writes what it was answered: lines for people, JSON or CSV for programs."""

import csv
import json
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from components.example_gen.sources.entries import printable
from pipeline.image_files import ImageFile
from serving.client import Answer

Form = Literal["text", "json", "csv"]
_MOST_CLASSES: Final = 5


class Writer(ABC):
    """Is told of image after image, in their order."""

    asks_once = True
    """Whether one API is asked where both could be: programs want one answer an image."""

    @abstractmethod
    def answered(self, file: ImageFile, answers: Mapping[str, Answer]) -> None:
        """Writes what each API answered."""

    @abstractmethod
    def failed(self, path: Path, error: str) -> None:
        """Writes why there is no answer: what is wrong with the file, without its name."""


class _Lines(Writer):
    asks_once = False

    def answered(self, file: ImageFile, answers: Mapping[str, Answer]) -> None:
        for api, answer in answers.items():
            said = {"": answer, **answer.further}
            words = "".join(
                f"  {column and f'{column}: '}{printable(each.label)}  {each.score:.3f}"
                for column, each in said.items()
            )
            print(f"{api:<5} {printable(str(file.path))}{words}")

    def failed(self, path: Path, error: str) -> None:
        sys.stdout.flush()  # so that a terminal shows all in order
        print(f"graft: {printable(str(path))} {error}.", file=sys.stderr)


class _Json(Writer):
    def answered(self, file: ImageFile, answers: Mapping[str, Answer]) -> None:
        for answer in answers.values():
            row = {"file": str(file.path), **_told(answer)}
            if answer.further:
                row["further_labels"] = {
                    column: _told(each) for column, each in answer.further.items()
                }
            self._write(row)

    def failed(self, path: Path, error: str) -> None:
        nothing: dict[str, object] = {"label": None, "score": None, "classes": []}
        self._write({"file": str(path), **nothing, "error": error})

    @staticmethod
    def _write(row: dict[str, object]) -> None:
        text = json.dumps(row, ensure_ascii=False)
        # A byte of a name that is not UTF-8 becomes a half of a surrogate pair, as JSON escapes it.
        print(text.encode("utf-8", "backslashreplace").decode())


def _told(answer: Answer) -> dict[str, object]:
    classes = [
        {"label": label, "score": score}
        for label, score in zip(answer.labels, answer.scores, strict=True)
    ]
    return {"label": answer.label, "score": answer.score, "classes": classes}


class _Csv(Writer):
    """RFC 4180. The likeliest class of each further label column is in the last columns."""

    def __init__(self, further: Sequence[str]) -> None:
        self._further = further
        self._rows = csv.writer(sys.stdout, lineterminator="\r\n")
        further = [
            f"{what}_{place}"
            for place in range(2, _MOST_CLASSES + 1)
            for what in ("label", "score")
        ]
        own = [name for column in self._further for name in (f"{column}/label", f"{column}/score")]
        header = ("file", "label", "score", "error", *further, *own)
        self._columns = len(header)
        self._rows.writerow(header)

    def answered(self, file: ImageFile, answers: Mapping[str, Answer]) -> None:
        for answer in answers.values():
            ranked: list[tuple[str, float | str]] = list(
                zip(answer.labels, answer.scores, strict=True)
            )
            ranked += [("", "")] * (_MOST_CLASSES - len(ranked))
            further = [value for pair in ranked[1:_MOST_CLASSES] for value in pair]
            for column in self._further:
                each = answer.further.get(column)
                further += (each.label, each.score) if each else ("", "")
            self._rows.writerow((name_in_utf8(file.path), *ranked[0], "", *further))

    def failed(self, path: Path, error: str) -> None:
        row = (name_in_utf8(path), "", "", error)
        self._rows.writerow(row + ("",) * (self._columns - len(row)))


def name_in_utf8(path: Path) -> str:
    r"""The name of a file, whose bytes need not be UTF-8: then they are written as `\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def writer(form: Form, further: Sequence[str] = ()) -> Writer:
    """The writer of a form, to standard output.

    Args:
        form: of what is written.
        further: further label columns that the model answers.
    """
    if form == "csv":
        return _Csv(further)
    return _Lines() if form == "text" else _Json()
