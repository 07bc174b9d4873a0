"""Whether the schema file is still as it was inferred.

TFX reuses a component's output when its parameters are the same, so the state of the schema file
has to be one of them. Three cases:

- absent: the coming run infers it. The state is a fresh token, never seen before, so that
  deleting the file always infers anew.
- present and not edited since: the token of the run that inferred it, from a small record beside
  the file. So the second run on the same data is cached although the file now exists.
- edited, or committed without its record: the digest of its content.
"""

import hashlib
import json
import uuid
from pathlib import Path

from components.schema_curator.schema import known_labels, parse_schema
from models.errors import UsageError
from models.storage.atomic_write import write_atomically

_EDITED = "edited:"


def curated_state(schema_path: str | Path) -> str:
    """The `curated` parameter of SchemaCurator, to be asked once a run.

    Raises:
        UsageError: there is something at `schema_path` that cannot be read.
    """
    content = read_schema_file(schema_path)
    if content is None:
        return f"inferred:{uuid.uuid4().hex}"
    digest = _digest(content)
    record = _read_record(_record_path(schema_path))
    if record.get("digest") == digest:
        return record["token"]
    return f"{_EDITED}{digest}"


def is_edited(state: str) -> bool:
    """Whether a state is that of a file that no run wrote as it is now."""
    return state.startswith(_EDITED)


def read_schema_file(schema_path: str | Path) -> bytes | None:
    """Content of the user's schema file; None if there is none.

    Raises:
        UsageError: there is something at `schema_path` that cannot be read.
    """
    try:
        return Path(schema_path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(
            f"The schema {schema_path} cannot be read ({error.strerror}). "
            "validation.schema_path must name a file, not a folder, that you may read."
        ) from error


def write_inferred(schema_path: str | Path, content: bytes, token: str) -> None:
    """Writes an inferred schema and the record of it, each as a whole or not at all.

    Args:
        schema_path: the user's schema file; its folders are made.
        content: the schema.
        token: the `curated` parameter of this run.

    Raises:
        UsageError: the file cannot be written.
    """
    path = Path(schema_path)
    record = json.dumps({"token": token, "digest": _digest(content)})
    # The record first: a record without its schema is ignored, a schema without its record would
    # look edited.
    try:
        write_atomically(_record_path(path), record.encode())
        write_atomically(path, content)
    except OSError as error:
        raise UsageError(
            f"The schema cannot be written to {path} ({error.strerror}). Give a place that you "
            "may write in validation.schema_path."
        ) from error


def _record_path(schema_path: str | Path) -> Path:
    path = Path(schema_path)
    return path.with_name(f".{path.name}.inferred")


def _read_record(path: Path) -> dict[str, str]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    whole = isinstance(record, dict) and all(isinstance(each, str) for each in record.values())
    return record if whole and "token" in record else {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def curated_labels(schema_path: str | Path) -> frozenset[str] | None:
    """The classes that the user's schema file names; None where there is none or it names none.

    Raises:
        UsageError: what is there is no schema.
    """
    content = read_schema_file(schema_path)
    return None if content is None else known_labels(parse_schema(content, str(schema_path)))
