"""Ingest and embedding with two of Beam's worker pools, against one process, on the same machine.

Each way begins with an empty workspace and ends with all images embedded. The records that both
write are compared byte by byte.

    ./dev bench scale/worker_pools --images 10000
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from stages import EMBED, INGEST, measure
from synthetic_images import write_images

from models.storage.seals import tree_digest

_ROOT: Final = Path(__file__).parents[2]
_REACH: Final = 0.9


def main() -> None:
    """Prints the seconds of both ways, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/pools"))
    options = parser.parse_args()
    out: Path = options.out.resolve()
    data = out / f"data-{options.images}"
    write_images(data, range(options.images))
    places = {name: out / f"{name}-{options.images}" for name in ("alone", "pools")}
    seconds = {"alone": _cost(measure(places["alone"], data, options.image_size, INGEST))}
    with _pools(2) as workers:
        done = measure(places["pools"], data, options.image_size, INGEST, workers)
    seconds["pools"] = _cost(done)
    digests = {tree_digest(next(place.glob(_EXAMPLES))) for place in places.values()}
    for name, (ingest, embed) in seconds.items():
        print(f"{name:6} ingest {ingest:6.1f} s, embedding {embed:6.1f} s")
    ratio = sum(seconds["alone"]) / sum(seconds["pools"])
    print(f"throughput of the pools / of one process: {ratio:.2f} (reach {_REACH})")
    print(f"equal records: {len(digests) == 1}")


_EXAMPLES: Final = f"work/artifacts/{INGEST}/examples/*"


def _cost(done: dict[str, Any]) -> tuple[float, float]:
    return done["stages"][INGEST]["seconds"], done["stages"][EMBED]["seconds"]


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
