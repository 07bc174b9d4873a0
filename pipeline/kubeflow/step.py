"""What a container of a compiled pipeline runs: TFX's entry point, on folders in place of buckets.

Graft's components read and write files. Kubeflow Pipelines (by its launcher) and Vertex AI (by a
mount) have each bucket as a folder: gs://bucket/a is /gcs/bucket/a. So URIs become paths before
TFX's entry point sees them, and what it says of its outputs becomes URIs again.
"""

import inspect
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from components import artifact_types
from models.errors import GraftError
from models.numerics import compute_with_onednn

_INVOCATION: Final = "--json_serialized_invocation_args"
_FOLDERS: Final = {"gs://": "/gcs/", "s3://": "/s3/", "minio://": "/minio/"}
"""Buckets by scheme, and the folder that each has in a container."""


def to_folder(uri: str) -> str:
    """The folder of a URI in a container; what is no bucket's stays as it is.

    >>> to_folder("gs://bucket/a/b")
    '/gcs/bucket/a/b'
    """
    for scheme, folder in _FOLDERS.items():
        if uri.startswith(scheme):
            return folder + uri.removeprefix(scheme)
    return uri


def to_uri(folder: str) -> str:
    """The URI of a folder that stands for a bucket; what is none stays as it is.

    >>> to_uri("/gcs/bucket/a/b")
    'gs://bucket/a/b'
    """
    for scheme, beginning in _FOLDERS.items():
        if folder.startswith(beginning):
            return scheme + folder.removeprefix(beginning)
    return folder


def run_step(arguments: Sequence[str]) -> None:
    """Runs one stage.

    Args:
        arguments: that the compiled pipeline has for the container.

    Raises:
        GraftError: they are none, or the stage refused to go on.
        Exception: whatever else the stage raised.
    """
    from tfx.orchestration.kubeflow.v2 import compiler_utils
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

    if _INVOCATION not in arguments:
        raise GraftError(f"Expected {_INVOCATION} of a compiled pipeline; got {list(arguments)}.")
    compiler_utils.TITLE_TO_CLASS_PATH.update(_own_types())
    given = list(arguments)
    at = given.index(_INVOCATION) + 1
    invocation = _with_uris(json.loads(given[at]), to_folder)
    output_file = Path(to_folder(invocation["outputs"]["outputFile"]))
    invocation["outputs"]["outputFile"] = str(output_file)
    for outputs in invocation["outputs"].get("artifacts", {}).values():
        for artifact in outputs["artifacts"]:
            Path(artifact["uri"]).mkdir(parents=True, exist_ok=True)
    given[at] = json.dumps(invocation)
    flags = kubeflow_v2_run_executor._parse_flags(["step", *given])
    kubeflow_v2_run_executor.main(flags)
    told = _with_uris(json.loads(output_file.read_text("utf-8")), to_uri)
    output_file.write_text(json.dumps(told), "utf-8")


def _own_types() -> dict[str, str]:
    """Graft's artifact types by name, each with its class's path, which TFX imports."""
    module = artifact_types.__name__
    classes: list[tuple[str, Any]] = inspect.getmembers(artifact_types, inspect.isclass)
    return {
        each.TYPE_NAME: f"{module}.{name}" for name, each in classes if each.__module__ == module
    }


def _with_uris(found: Any, change: Callable[[str], str]) -> Any:
    """JSON in which each `uri` is changed."""
    if isinstance(found, list):
        return [_with_uris(each, change) for each in found]
    if isinstance(found, dict):
        return {
            key: change(value) if key == "uri" else _with_uris(value, change)
            for key, value in found.items()
        }
    return found


def main() -> int:
    """Runs one stage and returns the exit code of `graft`."""
    compute_with_onednn()
    try:
        run_step(sys.argv[1:])
    except GraftError as error:
        print(f"graft: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
