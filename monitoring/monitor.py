"""One look at the served model after the other: log to evidence to decision, and a memory."""

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from models.errors import UsageError
from models.observation.log_entry import Counts
from models.observation.reference import Reference
from monitoring.accuracy.estimator import AccuracyEstimator, AccuracySettings
from monitoring.decision import decide
from monitoring.evidence.drift_evidence import DriftEvidence
from monitoring.evidence.drift_report import DriftReport
from monitoring.evidence.drift_settings import DriftSettings
from monitoring.health import Health, Requests
from monitoring.log_reader import LogReader, request_counts
from monitoring.observations import Observations
from monitoring.state import State, joined, read_state, write_state

_FORMAT: Final = 1
_DAY: Final = 86_400
_READER: Final = "reader"
_OK: Final = "OK"
_ACCURACY: Final = AccuracySettings()

References = Callable[[int], Reference | None]
"""The reference of a version; None where it has none, so that it cannot be watched."""


@dataclass
class _Watch:
    """Evidence of one version."""

    reference: Reference
    drift: DriftEvidence
    accuracy: AccuracyEstimator

    def fits(self, observations: Observations) -> bool:
        """Whether the server had this reference when it wrote them."""
        return observations.projections.shape[1:] == self.reference.projections.shape[1:]

    def add(self, observations: Observations) -> None:
        self.drift.add(observations)
        self.accuracy.add(observations)


class Monitor:
    """Reads on in the log, and says how the watched version is.

    Its memory is written after each look, in one step: a monitor that is killed repeats its last
    look, and comes to the same.
    """

    def __init__(
        self, log: Path, memory: Path, model: str, references: References, settings: DriftSettings
    ) -> None:
        """Goes on where the last monitor stopped.

        Args:
            log: folder of the request log.
            memory: file of the monitor's memory; made if it is missing.
            model: name in the serving API.
            references: of the versions.
            settings: how sure an alarm has to be; with others than before, all begins anew.
        """
        self._log, self._memory, self._model = log, memory, model
        self._references, self._settings = references, settings
        self._watches: dict[int, _Watch] = {}
        state = read_state(memory)
        self._was_damaged = state is None and memory.exists()
        if state is not None and state.texts.get("settings") != self._digest:
            state = None
        self._reader = LogReader(log, None if state is None else state.part(_READER))
        if state is not None:
            for version, digest in state.texts["versions"].items():
                self._take_up(int(version), digest, state)

    def look(self, version: int, now: float) -> Health:
        """Reads what came since the last look.

        Args:
            version: that users get, and that the health is of.
            now: seconds since 1970.

        Raises:
            UsageError: the log is missing, or the version has no reference.
            OSError: the memory cannot be written.
        """
        for answers in itertools.chain.from_iterable(self._reader.read_on()):
            who = answers.version
            watch = self._watch(who.version) if who.model == self._model else None
            if watch is not None and watch.fits(answers.observations):
                watch.add(answers.observations)
        self._remember()
        return self._health(version, now)

    @property
    def _digest(self) -> str:
        return hashlib.sha256(f"{_FORMAT} {self._settings.to_json()}".encode()).hexdigest()

    def _watch(self, version: int) -> _Watch | None:
        if version not in self._watches:
            reference = self._references(version)
            if reference is None:
                return None
            self._watches[version] = _Watch(
                reference,
                DriftEvidence(reference, self._settings),
                AccuracyEstimator(reference, _ACCURACY),
            )
        return self._watches[version]

    def _take_up(self, version: int, digest: str, state: State) -> None:
        """Goes on with a version, unless another model has its number by now."""
        reference = self._references(version)
        if reference is None or reference.model_digest != digest:
            return
        drift = DriftEvidence.from_state(reference, self._settings, state.part(f"drift-{version}"))
        accuracy = AccuracyEstimator.from_state(
            reference, _ACCURACY, state.part(f"accuracy-{version}")
        )
        self._watches[version] = _Watch(reference, drift, accuracy)

    def _remember(self) -> None:
        parts: dict[str, dict[str, NDArray[Any]]] = {_READER: self._reader.state()}
        for version, watch in self._watches.items():
            parts[f"drift-{version}"] = watch.drift.state()
            parts[f"accuracy-{version}"] = watch.accuracy.state()
        digests = {str(v): watch.reference.model_digest for v, watch in self._watches.items()}
        texts = {"settings": self._digest, "versions": digests}
        write_state(self._memory, State(texts, joined(parts)))

    def _health(self, version: int, now: float) -> Health:
        watch = self._watch(version)
        if watch is None:
            raise UsageError(
                f"Version {version} of {self._model} has no monitoring reference. `graft run` "
                "makes one with each version that it pushes; one of an earlier Graft has none."
            )
        drift = watch.drift.report()
        accuracy = watch.accuracy.report(_since(drift))
        requests = _requests(request_counts(self._log), self._model, self._damaged())
        decision = decide(drift, accuracy)
        return Health(now, self._model, version, drift.images, requests, drift, accuracy, decision)

    def _damaged(self) -> dict[str, str]:
        damaged = dict(self._reader.faults)
        if self._was_damaged:
            damaged[self._memory.name] = "It was damaged; all evidence was gathered anew."
        return damaged


def _since(drift: DriftReport) -> float | None:
    """When the images are sure to have changed; None where they did not."""
    moved = [signal.since for signal in drift.signals if signal.alarm and signal.since]
    return moved[0][1] if moved else None


def _requests(counts: Counts, model: str, damaged: dict[str, str]) -> Requests:
    """What the newest day of the log counts; requests for a model that is not there are others'."""
    own = {key: count for key, count in counts.requests.items() if key.model in (model, "")}
    last = max((key.minute for key in own), default=0)
    recent = {key: count for key, count in own.items() if key.minute > last - _DAY}
    by_status: Counter[str] = Counter()
    minutes: dict[int, tuple[int, int]] = {}
    for key, count in sorted(recent.items()):
        by_status[key.status] += count
        answers, errors = minutes.get(key.minute, (0, 0))
        minutes[key.minute] = answers + count, errors + (key.status != _OK) * count
    dropped = sum(number for minute, number in counts.dropped.items() if minute > last - _DAY)
    return Requests(dict(by_status.most_common()), minutes, dropped, damaged)
