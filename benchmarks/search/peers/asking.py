"""Searches of other tools as methods of this benchmark: their decisions, on Graft's replay."""

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

from benchmarks.search.methods import Method, Situation, finish
from benchmarks.search.peers.buying import ANSWER, Buy, Offer, OverError, Search, Table, as_json
from benchmarks.search.replay import Replay, first_seconds
from models.curves.learning_curve import CurveTask
from models.errors import GraftError

_ROOT = Path(__file__).resolve().parents[3]


def replayed(search: Search, *, with_past: bool = False) -> Method:
    """A method out of a tool's search.

    Args:
        search: of the tool.
        with_past: whether it is told of other data sets.
    """

    def method(situation: Situation) -> Replay:
        replay = Replay(situation.table)
        with contextlib.suppress(OverError):
            search(_offer(situation, with_past), partial(_sell, replay))
        # Where a tool has nothing more to ask for, the best that are left go on.
        finish(replay, situation.most)
        return replay

    return method


class Tool:
    """A tool in a process of its own, with the Python of its environment.

    Attributes:
        version: as it says itself.
    """

    def __init__(self, python: Path, module: str) -> None:
        """Starts it.

        Args:
            python: of the environment that the tool is installed in.
            module: of `benchmarks.search.peers`, that serves its searches.

        Raises:
            GraftError: it does not start.
        """
        self._module = module
        self._room = tempfile.TemporaryDirectory()
        # Tools write into the folder that they run in, and into the user's.
        surroundings = {**os.environ, "PYTHONPATH": str(_ROOT), "HOME": self._room.name}
        try:
            self._process = subprocess.Popen(
                [python, "-m", f"benchmarks.search.peers.{module}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=self._room.name,
                env=surroundings,
            )
        except OSError as error:
            raise GraftError(
                f"{python} is not a Python that can be run: {error}. Give the one of the "
                f"environment that {module}.py says how to make."
            ) from error
        self.version = str(self._read()["version"])

    def search(self, name: str) -> Search:
        """One of its searches, by the tool's name for it."""

        def search(offer: Offer, buy: Buy) -> None:
            self._write({"search": name, "offer": as_json(offer)})
            try:
                for candidate, stop in self._purchases():
                    self._write(buy(candidate, stop))
            except OverError:
                self._write(None)
                raise

        return search

    def close(self) -> None:
        """Ends the process."""
        with self._process:
            self._process.kill()
        self._room.cleanup()

    def _purchases(self) -> Iterator[tuple[int, int]]:
        while (asked := self._read())["candidate"] is not None:
            yield asked["candidate"], asked["stop"]

    def _write(self, message: Any) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(message), file=self._process.stdin, flush=True)

    def _read(self) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                return json.loads(line.removeprefix(ANSWER))
        raise GraftError(
            f"{self._module}.py ended with exit code {self._process.wait()} where an answer was "
            "expected. What it wrote stands above; its first lines say what has to be installed "
            "in its environment."
        )


def _offer(situation: Situation, with_past: bool) -> Offer:
    return Offer(
        figures=situation.table.figures,
        configurations=[dict(curve.values) for curve in situation.table.curves],
        seconds=first_seconds(situation.table).tolist(),
        most=situation.most,
        seed=situation.seed,
        past=[_table(task) for task in situation.past] if with_past else [],
    )


def _table(task: CurveTask) -> Table:
    return Table(
        figures=task.figures,
        configurations=[dict(curve.values) for curve in task.curves],
        scores=[list(accumulate(curve.scores, max)) for curve in task.curves],
        seconds=[list(curve.seconds) for curve in task.curves],
    )


def _sell(replay: Replay, candidate: int, stop: int) -> list[float]:
    curve = replay.buy(candidate, stop)
    if replay.is_over:
        raise OverError
    return list(accumulate(curve.scores[:stop], max))
