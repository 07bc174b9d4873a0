"""What one of Beam's workers does: embeds pieces of the work (`models.embedding.pieces`).

TensorFlow is imported when the worker begins, and not with this module, because how it computes is
settled before. TFX is not imported at all: that takes as long as to embed some hundred images.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import apache_beam as beam
from typing_extensions import override

from components.beam_worker import check_worker, process_name
from components.code_fingerprint import code_fingerprint
from models.errors import BadDataError, GraftError, UsageError
from models.numerics import compute_with_onednn
from models.storage.atomic_write import write_atomically

if TYPE_CHECKING:
    from models.embedding.forward import GraphEmbedder

RESULT: Final = ".result"
"""Ending of the file that says who embedded a piece, and how many images it has."""
FAILURE: Final = "failure.json"
_KINDS: Final = {kind.__name__: kind for kind in (BadDataError, UsageError, GraftError)}


def own_code() -> str:
    """Digest of what a worker must have as the run has it."""
    return code_fingerprint("models.embedding")


@dataclass(frozen=True)
class Task:
    """What all workers are told.

    Attributes:
        folder: of the pieces and the saved embedder.
        store: folder that the embeddings belong into.
        code: `own_code` of the run.
        embedder: digest of the saved embedder.
        probe: what the run's own embedder makes of noise.
    """

    folder: str
    store: str
    code: str
    embedder: str
    probe: str


class EmbedPieces(beam.DoFn):
    """Embeds pieces, and writes beside each who did it.

    Beam would wrap an exception in a page of its own: what went wrong lies in the folder instead,
    where the other workers see it too, and stop.
    """

    def __init__(self, task: Task) -> None:
        """Takes what is the same for all pieces."""
        self._task = task
        self._folder = Path(task.folder)
        self._embedder: GraphEmbedder | None = None

    @override
    def setup(self) -> None:
        """Loads the backbone, once for all pieces."""
        compute_with_onednn()
        try:
            self._embedder = self._load()
        except (GraftError, OSError) as error:
            self._fail(error)

    @override
    def process(self, name: str) -> None:
        """Embeds a piece."""
        from models.embedding.pieces import Piece, embed_piece

        if self._embedder is None or (self._folder / FAILURE).exists():
            return
        try:
            piece = Piece.read(self._folder / name)
            embed_piece(piece, self._embedder, Path(self._task.store))
            told = json.dumps({process_name(): len(piece.places)})
            write_atomically(self._folder / f"{name}{RESULT}", told.encode())
        except (GraftError, OSError) as error:
            self._fail(error)

    def _load(self) -> "GraphEmbedder":
        check_worker(self._task.code, own_code(), self._task.folder)
        from models.embedding.saved_embedder import EMBEDDER_FOLDER, load_embedder, probe
        from models.storage.seals import tree_digest

        folder = self._folder / EMBEDDER_FOLDER
        if tree_digest(folder) != self._task.embedder:
            raise GraftError(
                f"The Beam worker {process_name()} sees other weights in {folder} than the run "
                "wrote. Every worker needs the workspace itself at that path, not a copy."
            )
        embedder = load_embedder(folder)
        if probe(embedder) != self._task.probe:
            raise GraftError(
                f"The Beam worker {process_name()} computes other features than the run, with the "
                "same weights: its processor is of another kind, or only one of them has a GPU. "
                "Take machines that are alike, and give them the same environment variables "
                "(TF_ENABLE_ONEDNN_OPTS for one)."
            )
        return embedder

    def _fail(self, error: Exception) -> None:
        if not self._folder.exists():  # where nobody would find what is written
            raise error
        kind = next((name for name, each in _KINDS.items() if isinstance(error, each)), "")
        message = str(error)
        if not kind:
            message = (
                f"The Beam worker {process_name()} could not embed: {error}. Every worker needs "
                "the workspace at the same path as the run, and room on its disk."
            )
        told = {"kind": kind or GraftError.__name__, "message": message}
        write_atomically(self._folder / FAILURE, json.dumps(told).encode())


def read_failure(folder: Path) -> GraftError | None:
    """What ended the work of the workers; None for nothing."""
    try:
        told: dict[str, Any] = json.loads((folder / FAILURE).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return _KINDS[told["kind"]](told["message"])
