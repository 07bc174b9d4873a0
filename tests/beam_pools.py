"""Beam's worker pools on this machine, each a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from free_ports import free_port

ROOT = Path(__file__).parents[1]


@contextmanager
def two_pools() -> Iterator[tuple[str, ...]]:
    """Their addresses, for as long as the block lasts."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    with ExitStack() as stack:
        addresses = []
        for _ in range(2):
            port = free_port()
            module = "apache_beam.runners.worker.worker_pool_main"
            pool = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", module, f"--service_port={port}"],
                    stderr=subprocess.DEVNULL,
                    env=environment,
                )
            )
            stack.callback(pool.send_signal, signal.SIGINT)
            while not _listens(port):
                assert pool.poll() is None, "the pool could not start"
                time.sleep(0.1)
            addresses.append(f"127.0.0.1:{port}")
        yield tuple(addresses)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
