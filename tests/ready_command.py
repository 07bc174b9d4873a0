"""Runs the `graft` command in processes that begin where its imports end.

TFX takes seconds to import, and a kill at every stage starts a run for each of them. One process
imports what `graft run` does, once, and has computed nothing then, so that it may be forked: each
command is a process of its own still, with a group, an environment and streams of its own.
`graft_command` starts commands from nothing.

As a program, with the number of a socket: that process.
"""

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from graft_command import LIMIT_SECONDS, Answer, finish

from models.large_imports import large_imports
from models.numerics import compute_with_onednn
from pipeline.cli import main

_ROOT = Path(__file__).parents[1]
_MOST_BYTES = 1 << 20


class Process:
    """A command that was started; what the tests use of `subprocess.Popen[str]`.

    Attributes:
        pid: of the command, which leads a process group.
        returncode: negative for a signal; None as long as it was not seen to end.
    """

    def __init__(self, streams: tuple[int, int], ended: socket.socket) -> None:
        self.returncode: int | Any = None
        self._ended = ended
        self.pid = int(_line(ended))
        self._said = ["", ""]
        self._readers = [
            threading.Thread(target=self._read, args=each, daemon=True)
            for each in enumerate(streams)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, place: int, descriptor: int) -> None:
        with open(descriptor, encoding="utf-8", errors="backslashreplace") as stream:
            self._said[place] = stream.read()

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None:
            self._ended.setblocking(False)
            try:
                self._note(_line(self._ended))
            except BlockingIOError:
                return None
        return self.returncode

    def communicate(self, timeout: float = LIMIT_SECONDS) -> tuple[str, str]:
        """Waits until it and whoever else has its streams have ended; returns what it said.

        Raises:
            subprocess.TimeoutExpired: that took more than `timeout` seconds.
        """
        for reader in self._readers:
            reader.join(timeout)
            if reader.is_alive():
                raise subprocess.TimeoutExpired("graft", timeout)
        if self.returncode is None:
            self._ended.settimeout(timeout)
            self._note(_line(self._ended))
        return self._said[0], self._said[1]

    def send_signal(self, number: int) -> None:
        """Sends it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kills it, and what is in its group."""
        if self.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)

    def _note(self, code: str) -> None:
        self.returncode = int(code)
        self._ended.close()


def start(*arguments: str | Path, **environment: str) -> Process:
    """Starts a command in a process group of its own."""
    command = {
        "arguments": [os.fspath(each) for each in arguments],
        "environment": {**os.environ, **environment},
        "folder": str(Path.cwd()),
    }
    pipes = [os.pipe() for _ in range(2)]
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        given = [pipes[0][1], pipes[1][1], there.fileno()]
        socket.send_fds(_ready(), [json.dumps(command).encode()], given)
    for _, end in pipes:
        os.close(end)
    return Process((pipes[0][0], pipes[1][0]), here)


def graft(*arguments: str | Path, **environment: str) -> Answer:
    """Runs one command to its end."""
    return finish(start(*arguments, **environment))


@functools.cache
def _ready() -> socket.socket:
    """The socket of the process that has imported all; it ends when that is closed."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        subprocess.Popen(
            [sys.executable, __file__, str(there.fileno())],
            pass_fds=[there.fileno()],
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            stdin=subprocess.DEVNULL,
            # Pipes, as commands have: how a stream is written is settled with the first file.
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    return here


def _line(ended: socket.socket) -> str:
    """One message: the number of the process first, then its exit code."""
    told = ended.recv(16).decode()
    if not told:
        raise RuntimeError("the process that starts commands has ended")
    return told


def _serve(asked: socket.socket) -> int:
    """Starts what it is asked for; returns, in each such process, the exit code of the command."""
    # Nobody waits for the processes that wait for the commands.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        text, descriptors, *_ = socket.recv_fds(asked, _MOST_BYTES, 3)
        if not text:
            return 0
        if os.fork() == 0:
            asked.close()
            return _attend(json.loads(text), *descriptors)
        for each in descriptors:
            os.close(each)


def _attend(command: dict[str, Any], out: int, err: int, told: int) -> int:
    """Runs a command in a process of its own, and tells its number and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=told) as ended:
        pid = os.fork()
        if pid:
            for each in (out, err):
                os.close(each)
            _, status = os.waitpid(pid, 0)
            ended.send(str(os.waitstatus_to_exitcode(status)).encode())
            os._exit(0)
        os.setsid()
        for stream, descriptor in ((out, 1), (err, 2)):
            os.dup2(stream, descriptor)
            os.close(stream)
        ended.send(str(os.getpid()).encode())
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["folder"])
    sys.path[0] = command["folder"]
    sys.argv = ["graft", *command["arguments"]]
    np.random.seed()  # else all would draw what the first one draws
    return main()


if __name__ == "__main__":
    # Where `python -m` looks for modules.
    sys.path[0] = str(Path.cwd())
    compute_with_onednn()
    with large_imports():
        import pipeline.stage_runner  # noqa: F401 - what takes the time

    sys.exit(_serve(socket.socket(fileno=int(sys.argv[1]))))
