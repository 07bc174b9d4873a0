"""What the request log costs: the embedded server with it and without it, side by side.

A model of MobileNetV2's size for images of 96 pixels is exported with a reference, so that every
answer is logged whole, with the projection of its embedding. Two servers of it run at a time, one
with a log, and are asked by turns, so that a busy machine is equally busy for both. Each turn gives
the ratio of their requests a second and of the CPU seconds that each takes for one, that of the
process beside it included; the median of the turns counts.

    ./dev bench monitoring/throughput          # two minutes
    ./dev bench monitoring/throughput --turns 20 --seconds 3
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.serving_parts import (
    Load,
    Process,
    ask,
    grpc_request,
    jpeg,
    rest_request,
)
from models.numerics import compute_with_onednn
from models.observation.request_log_files import log_files
from serving.server_process import ServerProcess

_CLIENTS = (1, 32)
_FLAGS = ("--enable_batching",)


def _export(directory: Path) -> None:
    from benchmarks.mobilenet_export import add_reference, export_mobilenet

    compute_with_onednn()
    export_mobilenet(directory)
    add_reference(directory)


class _Side:
    """A server with the processes beside it."""

    def __init__(self, server: ServerProcess) -> None:
        addresses = server.wait(600)
        self.grpc, self.rest = addresses.target, addresses.url.removeprefix("http://")
        tasks = Path(f"/proc/{server.pid}/task").glob("*/children")
        children = [int(child) for task in tasks for child in task.read_text().split()]
        self._processes = [Process(pid) for pid in (server.pid, *children)]

    def measured(self, folder: Path, api: str, clients: int, seconds: float) -> tuple[float, float]:
        """Requests a second, and CPU milliseconds for each."""
        path = "/v1/models/m:predict" if api == "rest" else None
        target = self.rest if api == "rest" else self.grpc
        before = self._cpu_seconds()
        seen = ask(Load(target, path, str(folder / api), clients, seconds))
        if set(seen["statuses"]) != {"OK"}:
            raise SystemExit(f"Not all requests were answered: {seen['statuses']}")
        cpu_ms = (self._cpu_seconds() - before) / seen["requests"] * 1000
        return seen["per_second"], cpu_ms

    def _cpu_seconds(self) -> float:
        return sum(process.cpu_seconds() for process in self._processes)


def _compared(folder: Path, turns: int, seconds: float) -> dict[str, Any]:
    log = folder / "log"
    with ExitStack() as stack:
        flags = {"off": _FLAGS, "on": (*_FLAGS, f"--request_log={log}")}
        servers = {
            name: stack.enter_context(ServerProcess("m", folder / "base", flags=more))
            for name, more in flags.items()
        }
        sides = {name: _Side(server) for name, server in servers.items()}
        figures: dict[str, Any] = {}
        for api in ("rest", "grpc"):
            for clients in _CLIENTS:
                pairs = []
                for turn in range(turns + 1):
                    order = ("on", "off") if turn % 2 else ("off", "on")
                    seen = {n: sides[n].measured(folder, api, clients, seconds) for n in order}
                    pairs.append(seen)
                figures[f"{api}, {clients} clients"] = _ratios(pairs[1:])  # the first warms up
    figures["rows logged"] = sum(len(batch) for f in log_files(log) for batch in f.batches())
    return figures


def _ratios(pairs: list[dict[str, tuple[float, float]]]) -> dict[str, float]:
    """Medians over the turns; of CPU, off over on, so that more is better of both."""
    speeds = [pair["on"][0] / pair["off"][0] for pair in pairs]
    cpu = [pair["off"][1] / pair["on"][1] for pair in pairs]
    return {
        "requests a second, on / off": statistics.median(speeds),
        "lowest": min(speeds),
        "highest": max(speeds),
        "CPU, off / on": statistics.median(cpu),
        "requests a second, off": statistics.median(pair["off"][0] for pair in pairs),
        "CPU ms, off": statistics.median(pair["off"][1] for pair in pairs),
        "CPU ms, on": statistics.median(pair["on"][1] for pair in pairs),
    }


def main() -> None:
    """Prints a line for each protocol and number of clients, and all that was seen as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--turns", type=int, default=8, help="for each protocol and load")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each server in a turn")
    parser.add_argument("--export", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.export is not None:
        _export(options.export)
        return
    with tempfile.TemporaryDirectory(prefix="graft-throughput-") as name:
        folder = Path(name)
        command = [sys.executable, str(Path(__file__)), "--export", str(folder / "base" / "1")]
        subprocess.run(command, check=True)
        (folder / "rest").write_text(rest_request(jpeg()))
        (folder / "grpc").write_bytes(grpc_request([jpeg()]).SerializeToString())
        seen = _compared(folder, options.turns, options.seconds)
    for label, figures in seen.items():
        if isinstance(figures, dict):
            words = "  ".join(f"{what} {value:.3f}" for what, value in figures.items())
            print(f"{label:<18} {words}")
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
