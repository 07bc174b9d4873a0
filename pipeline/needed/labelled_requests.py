"""Images that were asked about and labelled later: what a retraining learns from beside the data.

They lie in a folder of their own, so that they outlive the request log.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from components.example_gen.ingest_settings import IngestSettings
from models.errors import GraftError, UsageError
from models.storage.atomic_write import write_atomically
from pipeline.config import Config
from pipeline.terminal.quiet import import_tensorflow

MANIFEST: Final = "labelled.jsonl"
_JOINED: Final = "data-and-labelled.jsonl"
_IMAGES: Final = "images"
_GROUP: Final = "group"


class Labelled(NamedTuple):
    """An image of a request, and its right class.

    Attributes:
        digest: SHA-256 of the image's bytes, hex.
        image: the bytes.
        label: name of the class.
    """

    digest: str
    image: bytes
    label: str


def keep(folder: Path, labelled: Iterable[Labelled]) -> int:
    """Adds images to the folder; one that is there already gets its newer label.

    Args:
        folder: of the labelled requests.
        labelled: to add.

    Returns:
        How many images the folder holds now.

    Raises:
        GraftError: the list of what is there is damaged.
        OSError: the folder cannot be written.
    """
    labels = dict(_labels(folder))
    for digest, image, label in labelled:
        path = f"{_IMAGES}/{digest}"
        if path not in labels:
            write_atomically(folder / path, image)
        labels[path] = label
    lines = [json.dumps({"path": path, "label": label}) + "\n" for path, label in labels.items()]
    write_atomically(folder / MANIFEST, "".join(lines).encode())
    return len(labels)


def labelled_digest(folder: Path) -> str:
    """Digest of the images that there are and of their labels; empty for none."""
    try:
        return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return ""


def with_labelled(config: Config, folder: Path) -> Config:
    """The configuration of a run that learns from the labelled requests too.

    Images of a request join the training images where the data has a split of its own, and are
    split like all others where it has none.

    Args:
        config: of the user.
        folder: of the labelled requests; a manifest of the data and of them is written to it.

    Raises:
        UsageError: the data is of TFRecord files, which no manifest can name.
        BadDataError: the data cannot be listed.
        GraftError: the list of labelled requests is damaged.
        OSError: the manifest cannot be written.
    """
    # Imported here: it brings TensorFlow, which an answer at once has no time for.
    import_tensorflow()
    from components.example_gen.sources.listing import list_locations, resolve

    columns = config.columns
    listing = list_locations(resolve(config.data.path, config.data.spans), config.data, columns)
    if listing.kind == "tfrecord":
        raise UsageError(
            f"{config.data.path} holds TFRecord files, to which no labelled requests can be added. "
            f"Write those of {folder / MANIFEST} into a file of yours beside them; changed data "
            "makes a run needed by itself."
        )
    # What a request was made with, nobody knows: its columns are empty.
    has_groups = bool(config.data.group)
    rows: list[dict[str, str | None]] = [
        {
            **dict(zip(columns, each.slices, strict=True)),
            "path": each.path,
            "label": each.label,
            "split": each.split,
            **({_GROUP: each.group} if has_groups else {}),
        }
        for each in listing.files
    ]
    rows += [
        {
            **dict.fromkeys(columns, ""),
            "path": str((folder / path).absolute()),
            "label": label,
            "split": None,
            **({_GROUP: ""} if has_groups else {}),
        }
        for path, label in _labels(folder)
    ]
    joined = folder / _JOINED
    write_atomically(joined, "".join(json.dumps(row) + "\n" for row in rows).encode())
    plain = IngestSettings()
    own = {key: getattr(plain, key) for key in ("ignore", "columns", "images", "encoding")}
    group = {"group": _GROUP} if has_groups else {}
    data = config.data.model_copy(update={"path": str(joined.absolute()), **own, **group})
    return config.model_copy(update={"data": data})


def _labels(folder: Path) -> Iterator[tuple[str, str]]:
    try:
        text = (folder / MANIFEST).read_text("utf-8")
    except FileNotFoundError:
        return
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = json.loads(line)
            path, label = row["path"], row["label"]
        except (ValueError, TypeError, KeyError):
            raise GraftError(
                f"Line {number} of {folder / MANIFEST} is damaged: expected a JSON object with "
                "path and label. Mend or delete the line; the labels of all others stay."
            ) from None
        yield path, label
