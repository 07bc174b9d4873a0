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
import os
import uuid
from pathlib import Path


def curated_state(schema_path: str | Path) -> str:
    """The `curated` parameter of SchemaCurator, to be asked once a run."""
    try:
        content = Path(schema_path).read_bytes()
    except FileNotFoundError:
        return f"inferred:{uuid.uuid4().hex}"
    digest = _digest(content)
    record = _read_record(_record_path(schema_path))
    if record.get("digest") == digest:
        return record["token"]
    return f"edited:{digest}"


def write_inferred(schema_path: str | Path, text: str, token: str) -> None:
    """Writes an inferred schema and the record of it, each as a whole or not at all.

    Args:
        schema_path: the user's schema file; its folders are made.
        text: the schema.
        token: the `curated` parameter of this run.
    """
    path = Path(schema_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode()
    record = json.dumps({"token": token, "digest": _digest(content)})
    # The record first: a record without its schema is ignored, a schema without its record would
    # look edited.
    _replace(_record_path(path), record.encode())
    _replace(path, content)


def _record_path(schema_path: str | Path) -> Path:
    path = Path(schema_path)
    return path.with_name(f".{path.name}.inferred")


def _read_record(path: Path) -> dict[str, str]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) and "token" in record else {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    scratch = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
