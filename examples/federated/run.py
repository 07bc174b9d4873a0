"""Trains one head across three sites with Flower, and compares it with what a site can do alone.

    ./dev python examples/federated/run.py --flower /tmp/flower --sites /tmp/sites/uneven-0

Starts a SuperLink and a SuperNode for each site as processes on this machine, and ends them
whatever happens. Only the comparison at the end reads what all sites have.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

APP = Path(__file__).parent / "app"
sys.path.append(str(APP))

from head import Head, accuracy, moments, trained  # noqa: E402

SITES = ("site0", "site1", "site2")
_ENDS = {signal.SIGINT, signal.SIGTERM}
_PATIENCE = 60.0
_STEPS_ALONE = 1000


def main() -> None:
    """Prints the accuracy on the test images, one line for each way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--flower", type=Path, required=True, help="the environment with flwr")
    parser.add_argument("--sites", type=Path, required=True, help="a folder that sites.py wrote")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=20, help="of descent at a site in each round")
    parser.add_argument("--secure", action="store_true", help="secure aggregation (SecAgg+)")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the processes as Ctrl-C does
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="federated-") as folder:
        together = federated(asked, Path(folder))
    seconds = time.monotonic() - begun
    data = {name: np.load(asked.sites / f"{name}.npz") for name in (*SITES, "test")}
    test = data["test"]["features"], data["test"]["labels"]
    for name in SITES:
        report(f"{name} alone", accuracy(alone([data[name]]), *test), len(data[name]["labels"]))
    images = sum(len(data[name]["labels"]) for name in SITES)
    report(f"federated ({seconds:.0f} s)", accuracy(together, *test), images)
    report("pooled", accuracy(alone([data[name] for name in SITES]), *test), images)


def report(way: str, right: float, images: int) -> None:
    """Prints a line."""
    print(f"{way}: {right:.3f} right, trained on {images} images")


def alone(shards: list) -> Head:
    """The head of images that lie in one place."""
    features = np.concatenate([shard["features"] for shard in shards])
    labels = np.concatenate([shard["labels"] for shard in shards])
    return trained(moments(features, len(shards[0]["names"])), features, labels, _STEPS_ALONE)


def federated(asked: argparse.Namespace, folder: Path) -> Head:
    """The head of the last round.

    Args:
        asked: the arguments of the command.
        folder: for logs, Flower's own files and the head.
    """
    link, *nodes = free_ports(1 + len(SITES))
    home = folder / "flower"
    home.mkdir()
    (home / "config.toml").write_text(
        f'[superlink.sites]\naddress = "127.0.0.1:{link}"\ninsecure = true\n'
    )
    outside = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment = outside | {
        "PATH": f"{asked.flower / 'bin'}:{os.environ['PATH']}",
        "FLWR_HOME": str(home),
        "FLWR_TELEMETRY_ENABLED": "0",
        "FLWR_DISABLE_UPDATE_CHECK": "1",
        "OMP_NUM_THREADS": "1",
    }
    secure = str(asked.secure).lower()
    with ExitStack() as running:
        started = {}

        def start(name: str, *command: str) -> None:
            log = folder / f"{name}.log"
            started[log] = running.enter_context(process(command, environment, log))

        superlink = (
            *("flower-superlink", "--insecure", "--host", "127.0.0.1", "--port", str(link)),
            "--disable-runtime-dependency-installation",
        )
        start("superlink", *superlink)
        for name, port in zip(SITES, nodes, strict=True):
            data = (asked.sites / f"{name}.npz").absolute()
            node = (
                *("flower-supernode", "--insecure", "--superlink", f"127.0.0.1:{link}"),
                *("--host", "127.0.0.1", "--port", str(port)),
                *("--node-config", f'data="{data}" secure={secure}'),
            )
            start(name, *node)
        await_port(link)
        head = folder / "head.npz"
        config = f'rounds={asked.rounds} steps={asked.steps} secure={secure} output="{head}"'
        # Of a copy: Flower leaves files beside the app that it packs.
        app = shutil.copytree(APP, folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
        start("run", "flwr", "run", str(app), "sites", "--stream", "--run-config", config)
        while not head.exists():
            check(started)
            time.sleep(0.5)
        with np.load(head) as file:
            return Head(**file)


def check(started: dict[Path, subprocess.Popen]) -> None:
    """Stops everything where a process ended before there was a head.

    Args:
        started: the processes, by their logs.
    """
    for log, each in started.items():
        if each.poll() is not None:
            raise SystemExit(
                f"Flower's {log.stem} ended with {each.returncode} before there was a head; "
                f"expected it to run until then. The end of its log:\n{log.read_text()[-3000:]}"
            )


@contextmanager
def process(
    command: tuple[str, ...], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen]:
    """Runs a command in the background, and asks it to end, which ends what it started.

    Ctrl-C waits until the process is known here, so that it is never left behind.
    """
    started = None
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        with log.open("wb") as file:
            started = subprocess.Popen(
                command,
                env=environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
                preexec_fn=let_end,  # noqa: PLW1509 - there is one thread
            )
        let_end()
        yield started
    finally:
        let_end()
        if started is not None:
            end(started)


def let_end() -> None:
    """Lets the signals through that are held back while a process starts."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)


def end(started: subprocess.Popen) -> None:
    """Asks a process to end, and sees to it where it does not."""
    started.terminate()
    try:
        started.wait(10)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def await_port(port: int) -> None:
    """Waits until something listens."""
    until = time.monotonic() + _PATIENCE
    while not listens(port):
        if time.monotonic() > until:
            raise SystemExit(
                f"Flower's SuperLink should listen at port {port} after {_PATIENCE:.0f} s; nothing "
                "does. Look whether `flower-superlink` of the environment starts by itself."
            )
        time.sleep(0.2)


def listens(port: int) -> bool:
    """Whether something does."""
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    main()
