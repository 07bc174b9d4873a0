"""What validation found, and its file."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from components.class_changes import ClassChange

CLASS_CHANGES_FILE: Final = "class_changes.json"
FINDINGS_FILE: Final = "findings.json"
FURTHER_LABELS_FILE: Final = "further_labels.json"
"""How many images have a label in each further column; only where there are such columns."""
MOST_NAMES: Final = 20
"""Images that a finding names; its `count` is always the full one."""

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or odd, with the data.

    Attributes:
        check: the key under `validation` in the configuration that sets the severity, or the
            check's own name where no key does.
        severity: "error" stops the run at the gate.
        message: what was found and how to mend it.
        images: names of the images concerned, at most `MOST_NAMES`.
        count: images concerned in all.
        mend: the end of the message, which is for whoever runs the pipeline; empty where it tells
            nothing else than what was found.
    """

    check: str
    severity: Severity
    message: str
    images: tuple[str, ...] = ()
    count: int = 0
    mend: str = ""

    @property
    def found(self) -> str:
        """What was found alone."""
        return self.message.removesuffix(self.mend).rstrip()

    @classmethod
    def about(
        cls, check: str, severity: Severity, found: str, images: Sequence[str], mend: str = ""
    ) -> "Finding":
        """A finding on `images`, of which the first are named."""
        message = f"{found} {mend}".rstrip()
        return cls(check, severity, message, tuple(images[:MOST_NAMES]), len(images), mend)


def write_findings(uri: str, findings: Iterable[Finding]) -> None:
    """Writes the file of a Findings artifact."""
    rows = [dataclasses.asdict(finding) for finding in findings]
    text = json.dumps(rows, indent=2, ensure_ascii=False)
    (Path(uri) / FINDINGS_FILE).write_text(text, encoding="utf-8")


def read_findings(uri: str) -> list[Finding]:
    """Reads the file of a Findings artifact."""
    rows = json.loads((Path(uri) / FINDINGS_FILE).read_text(encoding="utf-8"))
    return [Finding(**{**row, "images": tuple(row["images"])}) for row in rows]


def write_further_labels(uri: str, counts: Sequence[Mapping[str, Any]]) -> None:
    """Writes `further_labels.json`.

    Args:
        uri: of a Findings artifact.
        counts: of `components.image_validator.further_label_checks.counts`.
    """
    text = json.dumps(counts, indent=2, ensure_ascii=False)
    (Path(uri) / FURTHER_LABELS_FILE).write_text(text + "\n", encoding="utf-8")


def write_class_changes(
    directory: Path, changes: Iterable[ClassChange], classes: Mapping[str, int] | None = None
) -> None:
    """Writes `class_changes.json`, how classes differ from those that were known.

    Args:
        directory: gets the file.
        changes: none where the classes are the same; the file then says so.
        classes: class to its number of images, where they are counted.
    """
    rows = [{**dataclasses.asdict(each), "words": each.words} for each in changes]
    content = {"changes": rows} | ({} if classes is None else {"classes": classes})
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (directory / CLASS_CHANGES_FILE).write_text(text + "\n", encoding="utf-8")
