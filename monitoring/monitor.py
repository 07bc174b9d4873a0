"""One look at the served model after the other: log to evidence to decision, and a memory."""

import functools
import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from models.errors import BadDataError, UsageError
from models.observation.reference import Reference
from monitoring.accuracy.label_files import Key
from monitoring.decision import DecisionSettings, decide
from monitoring.decision_memory import DecisionMemory, Training
from monitoring.evidence.drift_settings import DriftSettings
from monitoring.health import Health
from monitoring.label_inbox import LabelInbox
from monitoring.log_reader import Answers, LogReader, ModelVersion, request_counts
from monitoring.requests import requests_of, traffic_of
from monitoring.state import State, joined, part_of, read_state, write_state
from monitoring.watch import Watch

_READER: Final = "reader"
_EVIDENCE: Final = "evidence.state"
_DECISIONS: Final = "decisions.state"

References = Callable[[int], Reference | None]
"""The reference of a version; None where it has none, so that it cannot be watched."""


@dataclass(frozen=True)
class Places:
    """Where a monitor reads and writes.

    Attributes:
        log: folder of the request log.
        folder: of the monitor.
    """

    log: Path
    folder: Path


@functools.cache
def _code() -> str:
    """Digest of the monitor's own code: evidence of another Graft would mean something else."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


class Monitor:
    """Reads on in the log, and says how the watched version is.

    Its memory is written after each look, in one step: a monitor that is killed repeats its last
    look, and comes to the same.
    """

    def __init__(
        self,
        places: Places,
        model: str,
        references: References,
        drift: DriftSettings,
        decision: DecisionSettings,
    ) -> None:
        """Goes on where the last monitor stopped.

        Args:
            places: log and folder.
            model: name in the serving API.
            references: of the versions.
            drift: how sure an alarm has to be; with others than before, and with another Graft,
                evidence is gathered anew from the log.
            decision: when to act.
        """
        self._log, self._model = places.log, model
        self._references, self._drift, self._decision = references, drift, decision
        self._memory = places.folder / _EVIDENCE
        self._decisions = DecisionMemory(places.folder / _DECISIONS)
        self._inbox = LabelInbox(places.folder)
        self._watches: dict[int, Watch] = {}
        self._labels_taken: list[str] = []
        self._damaged_labels: dict[str, str] = {}
        state = read_state(self._memory)
        self._was_damaged = state is None and self._memory.exists()
        if state is not None and state.texts.get("settings") != self._digest:
            state = None
        place = None if state is None else part_of(state.arrays, _READER)
        self._reader = LogReader(places.log, place)
        if state is not None:
            self._labels_taken = list(state.texts["labels"])
            for version, digest in state.texts["versions"].items():
                self._take_up(int(version), digest, state)

    def look(self, version: int, now: float, trainings: Sequence[Training] = ()) -> Health:
        """Reads what came since the last look.

        Args:
            version: that users get, and that the health is of.
            now: seconds since 1970.
            trainings: that were begun on a decision, oldest first.

        Raises:
            UsageError: the log is missing, or the version has no reference.
            OSError: the memory cannot be written.
        """
        chosen = self._inbox.chosen()
        for watch, answers in self._watched(self._reader):
            watch.add(answers.observations)
            watch.label(answers.observations, chosen)
        self._take_labels(chosen)
        self._remember()
        return self._health(version, now, trainings)

    @property
    def _digest(self) -> str:
        return hashlib.sha256(f"{_code()} {self._drift.to_json()}".encode()).hexdigest()

    def _watched(self, reader: LogReader) -> "itertools.chain[tuple[Watch, Answers]]":
        return itertools.chain.from_iterable(
            [
                (watch, each)
                for each in answers
                if each.version.model == self._model
                and (watch := self._watch(each.version.version)) is not None
            ]
            for answers in reader.read_on()
        )

    def _take_labels(self, chosen: frozenset[str]) -> None:
        """Labels come after their answers, so that the log is read once more for them."""
        fresh: dict[str, Mapping[Key, str]] = {}
        self._damaged_labels.clear()
        for name in self._inbox.names():
            if name not in self._labels_taken:
                try:
                    fresh[name] = self._inbox.take(name)
                except BadDataError as error:
                    self._damaged_labels[name] = str(error)
        if not fresh:
            return
        for labels in fresh.values():
            for watch in self._watches.values():
                watch.book.add(labels)
        for watch, answers in self._watched(LogReader(self._log)):
            watch.label(answers.observations, chosen)
        self._labels_taken += fresh

    def _watch(self, version: int) -> Watch | None:
        if version not in self._watches:
            reference = self._references(version)
            if reference is None:
                return None
            self._watches[version] = Watch(reference, self._drift)
        return self._watches[version]

    def _take_up(self, version: int, digest: str, state: State) -> None:
        """Goes on with a version, unless another model has its number by now."""
        reference = self._references(version)
        if reference is not None and reference.model_digest == digest:
            own = part_of(state.arrays, str(version))
            self._watches[version] = Watch.from_state(reference, self._drift, own)

    def _remember(self) -> None:
        parts: dict[str, dict[str, NDArray[Any]]] = {_READER: self._reader.state()}
        parts |= {str(version): watch.state() for version, watch in self._watches.items()}
        digests = {str(v): watch.reference.model_digest for v, watch in self._watches.items()}
        texts = {"settings": self._digest, "versions": digests, "labels": self._labels_taken}
        write_state(self._memory, State(texts, joined(parts)))

    def _health(self, version: int, now: float, trainings: Sequence[Training]) -> Health:
        watch = self._watch(version)
        if watch is None:
            raise UsageError(
                f"Version {version} of {self._model} has no monitoring reference. `graft run` "
                "makes one with each version that it pushes; one of an earlier Graft has none."
            )
        drift = watch.drift.report()
        accuracy = watch.accuracy_since(drift)
        counts = request_counts(self._log)
        again = self._reader.again(ModelVersion(self._model, version))
        faults = watch.faults(traffic_of(counts, self._model, watch.fresh, again, now))
        past = self._decisions.past(version, trainings)
        decision = decide(drift, accuracy, faults, now, past, self._decision)
        self._decisions.keep(version, decision.past)
        return Health(
            time=now,
            model=self._model,
            version=version,
            images=drift.images,
            requests=requests_of(counts, self._model, self._damaged(), now),
            drift=drift,
            accuracy=accuracy,
            faults=faults,
            skew=watch.skew(),
            decision=decision,
        )

    def _damaged(self) -> dict[str, str]:
        damaged = self._reader.faults | self._damaged_labels
        if self._was_damaged:
            damaged[self._memory.name] = "It was damaged; all evidence was gathered anew."
        return damaged
