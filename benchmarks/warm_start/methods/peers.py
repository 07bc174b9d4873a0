"""Methods of other libraries, each in an environment of its own, spoken to in JSON lines.

Their dependencies contradict Graft's and each other's. `peers/wire.py` describes the protocol,
`peers/setup.py` makes the environments.
"""

import json
import os
import selectors
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from benchmarks.warm_start.methods.interface import (
    Problem,
    Proposal,
    UnavailableError,
    best_so_far,
    usable_sources,
)
from models.errors import GraftError

_SCRIPTS: Final = Path(__file__).parent.parent / "peers"
_PATIENCE_SECONDS = 600
_LAST_CHARACTERS = 500


class PeerError(GraftError):
    """A peer that failed or fell silent."""


@dataclass(frozen=True)
class Peer:
    """A method of another library.

    Attributes:
        environment: name of its virtual environment.
        script: in the folder `peers`.
        method: what the script is asked for.
    """

    environment: str
    script: str
    method: str


PEERS: Final = {
    "optuna_tpe": Peer("optuna", "optuna_tpe.py", "tpe"),
    "syne_tune_bounding_box": Peer("syne-tune", "syne_tune_transfer.py", "bounding_box"),
    "syne_tune_quantile": Peer("syne-tune", "syne_tune_transfer.py", "quantile"),
    "openbox_rgpe": Peer("openbox", "openbox_transfer.py", "tlbo_rgpe_gp"),
    "openbox_topo": Peer("openbox", "openbox_transfer.py", "tlbo_topov3_gp"),
    "vizier_priors": Peer("vizier", "vizier_priors.py", "gp_bandit"),
}


def environments_folder() -> Path:
    """Where the peers' environments lie: `peers` in Graft's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("GRAFT_CACHE") or Path(cache) / "graft") / "peers"


class PeerMethod:
    """One search of a peer."""

    def __init__(self, peer: Peer, problem: Problem) -> None:
        """Tells the peer's process of the problem; starts the process if there is none yet.

        Raises:
            UnavailableError: its environment was not made.
            PeerError: it failed.
        """
        self._process = _process(peer.environment, peer.script)
        self._epochs = problem.epochs
        self._scores: list[float | None] = []
        self._process.call({"start": _describe(peer, problem)})

    def ask(self) -> Proposal | None:
        """The peer's next configuration."""
        values = self._process.call({"ask": True})["values"]
        return None if values is None else Proposal(values, self._epochs)

    def tell(self, score: float | None) -> None:
        """Hands the score over."""
        self._scores.append(score)
        self._process.call({"tell": score})

    def choose(self) -> int:
        """The trial with the best score."""
        return best_so_far(self._scores)

    def close(self) -> None:
        """Leaves the process to the next search, unless it failed."""
        if self._process.failed:
            _process.cache_clear()


class PeerProcess:
    """A peer's interpreter; it ends with this one, whose pipe it reads.

    Attributes:
        failed: that it died or fell silent.
    """

    def __init__(self, python: Path, script: Path) -> None:
        """Starts the interpreter."""
        self.failed = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 — lives as long as the process
        self._process = subprocess.Popen(
            [python, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(),
            cwd=tempfile.gettempdir(),
            text=True,
        )

    def call(self, message: dict[str, Any]) -> dict[str, Any]:
        """Sends one message and waits for the answer.

        Raises:
            PeerError: it died or fell silent.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._error() from None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(_PATIENCE_SECONDS):
                raise self._error(f"no answer in {_PATIENCE_SECONDS} s")
        line = self._process.stdout.readline()
        if not line:
            raise self._error()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _error(self, reason: str = "") -> PeerError:
        self.failed = True
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip()[-_LAST_CHARACTERS:]
        return PeerError(reason or words or "it ended without a word")


@cache
def _process(environment: str, script: str) -> PeerProcess:
    python = environments_folder() / environment / "bin" / "python"
    if not python.exists():
        raise UnavailableError(
            f"{environment} is not installed; make it with"
            " `./dev python benchmarks/warm_start/peers/setup.py`"
        )
    return PeerProcess(python, _SCRIPTS / script)


def _describe(peer: Peer, problem: Problem) -> dict[str, Any]:
    return {
        "method": peer.method,
        "seed": problem.seed,
        "trials": problem.trials,
        "space": [parameter.model_dump() for parameter in problem.space.parameters],
        "sources": [
            {"name": each.name, "values": each.values, "scores": each.scores.tolist()}
            for each in usable_sources(problem)
        ],
    }


def _environment() -> dict[str, str]:
    """One thread, as trials of other tasks run beside it; none of this process's Python paths."""
    aside = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if name not in aside}
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return kept | threads | {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
