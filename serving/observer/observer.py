"""Notes each request: in the counts for Prometheus, and in the log where there is one."""

import asyncio
import logging
import random
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import grpc
from numpy.typing import NDArray

from models.observation.log_entry import Entry
from serving.inference.signature_call import SignatureCall
from serving.metrics import Metrics, Outcome
from serving.observer.model_view import ModelView, digests
from serving.observer.request_ids import request_id
from serving.request_log.image_store import ImageStore
from serving.request_log.journal import Journal
from serving.request_log.settings import RequestLogSettings
from serving.servables.loader import LoadedModel
from serving.servables.registry import Target
from serving.servables.version_manager import Load
from serving.tensors.tensor_protos import Tensors

_log = logging.getLogger(__name__)
_ROWS_AT_ONCE: Final = 32
_FEW_BYTES: Final = 2**20
_LONGEST: Final = 100


class Note:
    """What is known of one request while it is answered.

    Attributes:
        request_id: its name.
        version: that answers; 0 for none so far.
        images: of the request.
        columns: what the answer says of them.
    """

    def __init__(self, observer: "Observer", given_id: str | None) -> None:
        """Begins with nothing known."""
        self.request_id = request_id(given_id)
        self.version = 0
        self.images: list[bytes] | None = None
        self.columns: dict[str, NDArray[Any]] = {}
        self.is_sampled = observer.samples()
        self._observer = observer
        self._view: ModelView | None = None
        self._asked: tuple[str, ...] = ()

    def observed(self, version: int, call: SignatureCall) -> SignatureCall:
        """What to run for a call: the same, or one that answers with an embedding too."""
        self.version, self._asked = version, call.aliases
        self._view = self._observer.view(call.model)
        if self._view is None:
            return call
        self.images = self._view.images(call)
        return self._view.observed(call)

    async def answered(self, fetched: Tensors) -> Tensors:
        """Notes what was answered, and takes out of it what the client did not ask for."""
        view, images = self._view, self.images
        if view is not None and self.is_sampled:
            size = sum(map(len, images or ()))
            is_large = len(images or ()) > _ROWS_AT_ONCE or size > _FEW_BYTES
            try:
                if is_large:
                    loop, lane = asyncio.get_running_loop(), self._observer.lane
                    self.columns = await loop.run_in_executor(lane, view.columns, images, fetched)
                else:
                    self.columns = view.columns(images, fetched)
            except Exception:  # noqa: BLE001 (the answer is there all the same)
                _log.exception("An answer is logged without its content")
            if self._observer.images is not None and "digest" in self.columns:
                self._observer.images.keep(images or [], self.columns["digest"])
        return {alias: fetched[alias] for alias in self._asked}


class Observer:
    """Notes the requests of one server.

    Attributes:
        metrics: the counts.
        lane: a thread for what would hold an event loop up.
        images: keeps their bytes; None where they are not to be kept.
    """

    def __init__(self, metrics: Metrics, settings: RequestLogSettings | None = None) -> None:
        """Opens the log.

        Args:
            metrics: counts.
            settings: of the log; None for no log.
        """
        self.metrics = metrics
        self.lane = ThreadPoolExecutor(1, "observer")
        self._settings = settings
        self._journal = None if settings is None else Journal(settings)
        self.images: ImageStore | None = None
        if settings is not None and settings.keep_images:
            self.images = ImageStore(settings)
        self._views: weakref.WeakKeyDictionary[LoadedModel, ModelView] = weakref.WeakKeyDictionary()
        self._random = random.Random()

    def watched(self, load: Load) -> Load:
        """Has every version that `load` brings looked at before it is available."""
        if self._journal is None:
            return load

        def load_and_look(name: str, version: int, directory: Path) -> LoadedModel:
            model = load(name, version, directory)
            self._views[model] = ModelView(model, directory)
            return model

        return load_and_look

    def view(self, model: LoadedModel) -> ModelView | None:
        """What is known of a loaded version; None without a log."""
        return self._views.get(model)

    def samples(self) -> bool:
        """Draws whether a request is written down whole."""
        return self._settings is not None and self._random.random() < self._settings.sample_rate

    @contextmanager
    def request(
        self, target: Target, api: str, entrypoint: str, given_id: str | None = None
    ) -> Iterator[Note]:
        """Notes what the block does as one request.

        Args:
            target: what it asks for.
            api: `Predict`, `Classify`, `Regress` or `MultiInference`.
            entrypoint: `REST` or `GRPC`.
            given_id: what the client calls it.
        """
        note = Note(self, given_id)
        outcome = Outcome()
        try:
            with self.metrics.request(target.name, api, entrypoint) as outcome:
                yield note
        finally:
            if self._settings is not None:
                self._write(note, target, entrypoint, outcome)

    def refused(self, entrypoint: str, code: grpc.StatusCode) -> None:
        """Notes a request that did not come so far as to ask for a model."""
        if self._settings is not None:
            note = Note(self, None)
            self._write(note, Target(""), entrypoint, Outcome(code))

    def close(self) -> None:
        """Closes the log; no request may come after that."""
        self.lane.shutdown()
        if self.images is not None:
            self.images.close()
        if self._journal is not None:
            self._journal.close()

    def _write(self, note: Note, target: Target, entrypoint: str, outcome: Outcome) -> None:
        try:
            for entry in _entries(note, target, entrypoint, outcome, self._weight(note, outcome)):
                self._add(entry)
        except Exception:  # noqa: BLE001 (no request fails because of its log)
            _log.exception("A request is not logged")

    def _weight(self, note: Note, outcome: Outcome) -> float:
        assert self._settings is not None
        if outcome.status is not grpc.StatusCode.OK:
            return 1.0
        return 1.0 / self._settings.sample_rate if note.is_sampled else 0.0

    def _add(self, entry: Entry) -> None:
        assert self._journal is not None
        is_written = self._journal.add(entry)
        self.metrics.logged("dropped" if not is_written else "whole" if entry.weight else "counted")


def _entries(
    note: Note, target: Target, entrypoint: str, outcome: Outcome, weight: float
) -> Iterator[Entry]:
    """The entries of a request: one, or several where it has many images."""
    columns = note.columns
    if outcome.status is not grpc.StatusCode.OK:
        # Which image a request of many failed for is not known.
        alone = note.images if note.images is not None and len(note.images) == 1 else None
        columns = {} if alone is None else {"digest": digests(alone)}
    count = max((len(column) for column in columns.values()), default=1)
    whole = Entry(
        time.time(),
        note.request_id,
        entrypoint,
        target.name[:_LONGEST],
        note.version,
        (target.label or "")[:_LONGEST],
        outcome.status.name,
        outcome.seconds * 1000.0,
        len(note.images or ()),
        weight,
        0 if outcome.status is grpc.StatusCode.OK else -1,
    )
    for first in range(0, count, _ROWS_AT_ONCE):
        part = {name: column[first : first + _ROWS_AT_ONCE] for name, column in columns.items()}
        yield replace(whole, first_row=whole.first_row + first, columns=part)
