"""How `graft predict` writes what it was answered: lines for people, JSON or CSV for programs."""

import csv
import json
import os
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from components.example_gen.sources.entries import printable

Form = Literal["text", "json", "csv"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of an image.

    Attributes:
        label: name of the likeliest class.
        score: its probability.
    """

    label: str
    score: float


class Writer(ABC):
    """Writes to standard output, image by image."""

    asks_once = True
    """Whether one API is asked where both could be: programs want one answer an image."""

    @abstractmethod
    def answered(self, path: Path, answers: dict[str, Answer]) -> None:
        """Writes what each API answered."""

    @abstractmethod
    def failed(self, path: Path, error: str) -> None:
        """Writes why there is no answer: what is wrong with the file, without its name."""


class _Lines(Writer):
    asks_once = False

    def answered(self, path: Path, answers: dict[str, Answer]) -> None:
        for api, answer in answers.items():
            label = printable(answer.label)
            print(f"{api:<5} {printable(str(path))}  {label}  {answer.score:.3f}")

    def failed(self, path: Path, error: str) -> None:
        sys.stdout.flush()  # so that a terminal shows all in order
        print(f"graft: {printable(str(path))} {error}.", file=sys.stderr)


class _Json(Writer):
    def answered(self, path: Path, answers: dict[str, Answer]) -> None:
        for answer in answers.values():
            self._write({"file": str(path), "label": answer.label, "score": answer.score})

    def failed(self, path: Path, error: str) -> None:
        self._write({"file": str(path), "label": None, "score": None, "error": error})

    @staticmethod
    def _write(row: dict[str, object]) -> None:
        text = json.dumps(row, ensure_ascii=False)
        # A byte of a name that is not UTF-8 becomes a half of a surrogate pair, as JSON escapes it.
        print(text.encode("utf-8", "backslashreplace").decode())


class _Csv(Writer):
    r"""RFC 4180; bytes of a name that are not UTF-8 are written as `\xNN`."""

    def __init__(self) -> None:
        self._rows = csv.writer(sys.stdout, lineterminator="\r\n")
        self._rows.writerow(("file", "label", "score", "error"))

    def answered(self, path: Path, answers: dict[str, Answer]) -> None:
        for answer in answers.values():
            self._rows.writerow((self._name(path), answer.label, answer.score, ""))

    def failed(self, path: Path, error: str) -> None:
        self._rows.writerow((self._name(path), "", "", error))

    @staticmethod
    def _name(path: Path) -> str:
        return os.fsencode(path).decode("utf-8", "backslashreplace")


def writer(form: Form) -> Writer:
    """The writer of a form."""
    writers: dict[Form, type[_Lines | _Json | _Csv]] = {"text": _Lines, "json": _Json, "csv": _Csv}
    return writers[form]()
