"""What the judge sees: lines of JSON that nginx and the comparison of copies append.

The files are all that the judge knows, so that a controller that died loses nothing.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from models.storage.atomic_write import write_atomically
from serving.gateway.settings import CANARY
from serving.rollout.judge import Answer, Judge

_PAST_LINES: Final = 4000
_PAST_BYTES: Final = 4 * 1024 * 1024
_CLIENT_LEFT: Final = 499
_GRPC_CANCELLED: Final = 1
_FIRST_ERROR: Final = 400


class Evidence:
    """The evidence of one rollout, read as it grows.

    Attributes:
        requests: file of the requests since the canary began, to which nginx appends.
        pairs: file of the compared copies.
        judge: knows what was read.
    """

    def __init__(self, folder: Path, requests: Path, share: float, judge: Judge) -> None:
        """Begins with nothing read.

        Args:
            folder: of the rollout.
            requests: file to which nginx appends.
            share: of the requests that the canary answers, 0 to 1.
            judge: knows nothing yet.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.requests = requests
        self._share = share
        self.pairs = folder / "pairs.jsonl"
        self.judge = judge
        self._past = folder / "past.jsonl"
        self._offsets = {self.requests: 0, self.pairs: 0}

    def start(self, log: Path) -> None:
        """Shows the judge what the stable did before the canary: the end of the gateway's log.

        It is copied the first time, so that the same past is seen whenever this begins anew.
        """
        if not self._past.exists():
            self._keep(log)
        for line in _objects(self._past.read_bytes()):
            if (seen := _outcome(line)) is not None:
                failed, seconds, _ = seen
                self.judge.past(failed, seconds)

    def _keep(self, log: Path) -> None:
        lines: list[bytes] = []
        if log.exists():
            with log.open("rb") as file:
                file.seek(max(0, log.stat().st_size - _PAST_BYTES))
                lines = file.read().split(b"\n")[1:-1][-_PAST_LINES:]
        write_atomically(self._past, b"".join(line + b"\n" for line in lines))

    def read_on(self) -> None:
        """Shows the judge what came since the last time."""
        for line in self._new(self.requests):
            if 0 < self._share < 1 and (seen := _outcome(line)) is not None:
                failed, seconds, from_canary = seen
                self.judge.request(from_canary, failed, seconds, self._share)
        for line in self._new(self.pairs):
            self.judge.pair(*(Answer(*line[who]) if line[who] else None for who in line))

    def _new(self, path: Path) -> Iterator[dict[str, Any]]:
        try:
            with path.open("rb") as file:
                file.seek(self._offsets[path])
                content = file.read()
        except FileNotFoundError:
            return
        # The last line may not be whole yet.
        whole = content[: content.rfind(b"\n") + 1]
        self._offsets[path] += len(whole)
        yield from _objects(whole)


def add_pair(path: Path, stable: Answer | None, canary: Answer | None) -> None:
    """Appends what both said to a copy; None is an error."""
    said = {
        name: [answer.label, answer.probability] if answer else None
        for name, answer in (("stable", stable), ("canary", canary))
    }
    with path.open("ab") as file:
        file.write(json.dumps(said).encode() + b"\n")


def _objects(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.splitlines():
        try:
            found = json.loads(line)
        except ValueError:  # cut off where a machine lost power
            continue
        if isinstance(found, dict):
            yield found


def _outcome(line: dict[str, Any]) -> tuple[bool, float, bool] | None:
    """Failure, seconds, and whether the canary answered; None where chance did not choose."""
    # Lists where nginx asked twice: the first is the one that chance chose.
    status, seconds = (
        str(line.get(key, "")).replace(" :", ",").partition(",")[0].strip()
        for key in ("upstream_status", "upstream_seconds")
    )
    if line.get("label") or not status.isdecimal():
        return None
    try:
        took = float(seconds)
    except ValueError:
        took = float(line.get("seconds", 0))
    grpc_status = str(line.get("grpc_status", ""))
    failed = int(status) >= _FIRST_ERROR or grpc_status not in ("", "0", str(_GRPC_CANCELLED))
    if line.get("status") == _CLIENT_LEFT:
        failed = False
    return failed, took, line.get("variant") == CANARY
