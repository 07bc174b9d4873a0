"""What a model's numbers mean, in the same file."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Final

LABELS: Final = "labels.txt"
"""A class name on each line, in the order of the probabilities; a line break in one is a space."""
DESCRIPTION: Final = "graft.json"
"""The class names as they are, and what else a caller needs to know."""
_TIME: Final = (1980, 1, 1, 0, 0, 0)


def texts(labels: Sequence[str], description: Mapping[str, Any]) -> dict[str, str]:
    """What travels with a model: name to text.

    Args:
        labels: class names in the order of the outputs.
        description: values for JSON.
    """
    lines = "".join(" ".join(label.splitlines()) + "\n" for label in labels)
    document = {"labels": list(labels), **description}
    return {
        LABELS: lines,
        DESCRIPTION: json.dumps(document, indent=2, ensure_ascii=False) + "\n",
    }


def packed(content: bytes, labels: Sequence[str], description: Mapping[str, Any]) -> bytes:
    """Appends a ZIP archive with the labels and the description to a LiteRT model.

    That is how LiteRT's own metadata carries files: interpreters look at the model alone, and
    `unzip -p model.tflite labels.txt` at the rest.

    Args:
        content: the model.
        labels: class names in the order of the outputs.
        description: values for JSON.
    """
    file = io.BytesIO()
    file.write(content)
    with zipfile.ZipFile(file, "a") as archive:
        for name, text in texts(labels, description).items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), text)
    return file.getvalue()
