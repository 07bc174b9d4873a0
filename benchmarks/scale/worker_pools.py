"""Ingest and embedding with two of Beam's worker pools, against one process, on the same machine.

Each way begins with an empty workspace and ends with all images embedded. The records and the
embeddings of both are compared byte by byte. `--way` measures one of them, so that a long
comparison may be made in parts: a way that was measured is not measured again.

    ./dev bench scale/worker_pools --images 10000
    ./dev bench scale/worker_pools --images 10000 --image-size 224
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stages import EMBED, INGEST, cpu_seconds, measure
from synthetic_images import write_images

from components.artifact_names import EMBEDDED_BY_FILE
from models.storage.seals import tree_digest

_ROOT: Final = Path(__file__).parents[2]
_REACH: Final = 0.9
_WAYS: Final = ("alone", "pools")
_OUTPUTS: Final = {
    "records": f"work/artifacts/{INGEST}/examples/*",
    "embeddings": "work/cache/embeddings",
}


def main() -> None:
    """Prints the seconds of both ways, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--way", choices=_WAYS, help="the one to measure; without it, both")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/pools"))
    options = parser.parse_args()
    out: Path = options.out.resolve()
    data = out / f"data-{options.images}"
    write_images(data, range(options.images))
    places = {
        name: out / f"{name}-{options.images}-{options.image_size}"
        for name in _WAYS
        if options.way in (None, name)
    }
    costs = {}
    for name, place in places.items():
        costs[name] = _measured(place, data, options.image_size, 2 if name == "pools" else 0)
        told = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in costs[name].items())
        print(f"{name}: {told}", flush=True)
    if options.way:
        return
    for what in ("together", "processor time"):
        ratio = costs["alone"][what] / costs["pools"][what]
        print(f"{what}, one process / the pools: {ratio:.2f} (reach {_REACH} together)")
    for what, found in _OUTPUTS.items():
        digests = {tree_digest(next(place.glob(found))) for place in places.values()}
        print(f"equal {what}: {len(digests) == 1}")
    for file in places["pools"].glob(f"*/**/{EMBEDDED_BY_FILE}"):
        print(f"embedded by {file.read_text()}")


def _measured(place: Path, data: Path, image_size: int, pools: int) -> dict[str, float]:
    """What a way costs, in seconds; processor time tells of it on a machine with other work."""
    known = place / "costs.json"
    if not known.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        before = cpu_seconds()
        with _pools(pools) as workers:
            stages = measure(place, data, image_size, INGEST, workers)["stages"]
        ingest, embed = stages[INGEST]["seconds"], stages[EMBED]["seconds"]
        costs = {"ingest": ingest, "embedding": embed, "together": ingest + embed}
        # That of workers is known when their pools have ended.
        known.write_text(json.dumps(costs | {"processor time": cpu_seconds() - before}))
    found: dict[str, float] = json.loads(known.read_text())
    return found


@contextmanager
def _pools(count: int) -> Iterator[tuple[str, ...]]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(_ROOT)}
    module = "apache_beam.runners.worker.worker_pool_main"
    pools = []
    addresses = []
    try:
        for _ in range(count):
            port = _free_port()
            command = [sys.executable, "-m", module, f"--service_port={port}"]
            pools.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment))
            while not _listens(port):
                time.sleep(0.1)
            addresses.append(f"127.0.0.1:{port}")
        yield tuple(addresses)
    finally:
        for pool in pools:
            pool.send_signal(signal.SIGINT)
            try:
                pool.wait(timeout=10)
            except subprocess.TimeoutExpired:
                # A shell's job in the background does not hear it.
                pool.kill()
                pool.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    main()
