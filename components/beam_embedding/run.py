"""Has Beam's workers embed what the block embeds, where Beam has workers."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apache_beam as beam

from components.artifact_names import EMBEDDED_BY_FILE
from components.beam_embedding.worker import RESULT, EmbedPieces, Task, own_code, read_failure
from components.beam_worker import IN_THIS_PROCESS, others
from models import progress
from models.embedding.elsewhere import EmbeddingWork, embedding_elsewhere
from models.embedding.saved_embedder import EMBEDDER_FOLDER
from models.storage.atomic_write import write_atomically
from models.storage.seals import tree_digest

_LOOK_SECONDS: Final = 1.0
"""Between two looks at how far the workers are."""


@contextmanager
def embedding_on_workers(arguments: Sequence[str], folder: str) -> Iterator[None]:
    """Inside the block, embeddings are made by Beam's workers; this process makes them by default.

    Where workers made some, `EMBEDDED_BY_FILE` says in the end which of them made how many.

    Args:
        arguments: of Beam.
        folder: of an artifact, for that file.

    Raises:
        GraftError: a worker cannot be reached, was lost or is not like the run; what was embedded
            until then is kept.
    """
    if not arguments or IN_THIS_PROCESS in arguments:
        yield
        return
    made: Counter[str] = Counter()
    with embedding_elsewhere(lambda work: made.update(_embed(work, arguments))):
        yield
    if told := others(made):
        write_atomically(Path(folder) / EMBEDDED_BY_FILE, json.dumps(told, indent=2).encode())


def _embed(work: EmbeddingWork, arguments: Sequence[str]) -> Counter[str]:
    """Returns the number of images by worker."""
    task = Task(
        folder=str(work.folder),
        store=str(work.store),
        code=own_code(),
        embedder=tree_digest(work.folder / EMBEDDER_FOLDER),
        probe=work.probe,
    )
    results = _Results(work)
    with results.told(), beam.Pipeline(argv=list(arguments)) as pipeline:
        _ = (
            pipeline
            | "Pieces" >> beam.Create(work.pieces, reshuffle=True)
            | "Embed" >> beam.ParDo(EmbedPieces(task))
        )
    if failure := read_failure(work.folder):
        raise failure
    return results.made()


class _Results:
    """What the workers said so far."""

    def __init__(self, work: EmbeddingWork) -> None:
        self._work = work
        self._waiting = set(work.pieces)
        self._made: Counter[str] = Counter()

    def made(self) -> Counter[str]:
        """Number of images by worker."""
        for name in sorted(self._waiting):
            file = self._work.folder / f"{name}{RESULT}"
            if file.exists():
                self._made.update(json.loads(file.read_text("utf-8")))
                self._waiting.remove(name)
        return self._made

    @contextmanager
    def told(self) -> Iterator[None]:
        """Inside the block, tells how far the workers are."""
        ended = threading.Event()
        teller = threading.Thread(target=self._tell, args=(ended,), daemon=True)
        teller.start()
        try:
            yield
        finally:
            ended.set()
            teller.join()

    def _tell(self, ended: threading.Event) -> None:
        while not ended.wait(_LOOK_SECONDS):
            if made := self.made():
                note = f"on {len(made)} Beam worker{'s' * (len(made) > 1)}"
                progress.report(made.total(), self._work.images, "images", note)
