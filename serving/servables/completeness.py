"""Whether a version directory holds a whole SavedModel.

TensorFlow Serving does not ask: it loads a directory whose `variables/` has not arrived yet, makes
it available, unloads the old version, and fails every request (tensorflow/serving#1086). Graft's
own push is atomic; this guards against `cp -r`, `rsync` and `gsutil`.
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

SERVING_TAG: Final = "serve"
GRAPH_FILE: Final = "saved_model.pb"
_GRAPH_AS_TEXT: Final = "saved_model.pbtxt"
_INDEX: Final = "variables/variables.index"
_SHARD: Final = re.compile(r"variables\.data-\d+-of-(?P<count>\d+)")


@dataclass(frozen=True)
class Snapshot:
    """What a directory held at one moment.

    Attributes:
        files: (relative path, bytes, time of last change in nanoseconds) of every file, sorted.
    """

    files: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, directory: Path) -> "Snapshot":
        """Looks at `directory` and everything below it; what vanishes meanwhile is left out."""
        files = []
        for path in sorted(directory.rglob("*")):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            files.append((str(path.relative_to(directory)), status.st_size, status.st_ctime_ns))
        return cls(tuple(files))

    def settled_for(self, seconds: float) -> bool:
        """Whether nothing changed in the last `seconds`.

        It asks the inode's change time, which copying tools cannot set back.
        """
        newest = max((changed for _, _, changed in self.files), default=0)
        return time.time_ns() - newest > seconds * 1e9


def missing_part(directory: Path) -> str | None:
    """Says what keeps `directory` from being a whole SavedModel, or None.

    Looks at the graph and at the names of the files that it needs; the values themselves are
    checked by the load, which fails on truncated ones.
    """
    graph_file = directory / GRAPH_FILE
    is_text = not graph_file.exists() and (directory / _GRAPH_AS_TEXT).exists()
    if is_text:
        graph_file = directory / _GRAPH_AS_TEXT
    try:
        content = graph_file.read_bytes()
    except FileNotFoundError:
        return f"{GRAPH_FILE} is missing"
    except OSError as error:
        return f"{graph_file.name} cannot be read: {error.strerror}"
    saved_model = saved_model_pb2.SavedModel()
    try:
        if is_text:
            text_format.Parse(content, saved_model)
        else:
            saved_model.ParseFromString(content)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError):
        return f"{graph_file.name} is truncated or no SavedModel"
    graph = _serving_graph(saved_model)
    if graph is None:
        tagged = ", ".join(" and ".join(g.meta_info_def.tags) for g in saved_model.meta_graphs)
        return (
            f"{GRAPH_FILE} has no graph tagged {SERVING_TAG!r} and nothing else"
            f" (it has: {tagged or 'none'})"
        )
    return _missing_variables(graph, directory) or _missing_asset(graph, directory)


def _serving_graph(saved_model: Any) -> Any:
    for graph in saved_model.meta_graphs:
        if set(graph.meta_info_def.tags) == {SERVING_TAG}:
            return graph
    return None


def _missing_variables(graph: Any, directory: Path) -> str | None:
    if not graph.saver_def.restore_op_name:
        return None
    if not (directory / _INDEX).is_file():
        return f"{_INDEX} is missing"
    names = (path.name for path in (directory / "variables").iterdir())
    shards = [match for match in map(_SHARD.fullmatch, names) if match]
    if not shards:
        return "variables/variables.data is missing"
    expected = int(shards[0]["count"])
    if len(shards) != expected:
        return f"variables/ has {len(shards)} of {expected} data files"
    return None


def _missing_asset(graph: Any, directory: Path) -> str | None:
    for asset in graph.asset_file_def:
        if not (directory / "assets" / asset.filename).is_file():
            return f"assets/{asset.filename} is missing"
    return None
