"""A workspace whose ML Metadata lies in PostgreSQL, in the server that Debian packages."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from graft_command import graft
from ml_metadata.proto import metadata_store_pb2

from models.errors import UsageError
from pipeline.metadata_place import open_store, place_of
from pipeline.recovery import recover
from pipeline.workspace import Workspace

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
Execution = metadata_store_pb2.Execution
USER = "postgres"
"""PostgreSQL refuses to run as root."""


@dataclass
class Server:
    """PostgreSQL on a port of its own."""

    port: int

    def new_database(self, name: str) -> str:
        """Makes one; returns its address."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "graft"]
        subprocess.run([PROGRAMS[-1] / "createdb", *where, name], check=True)
        return f"postgresql://graft@127.0.0.1:{self.port}/{name}"


def as_user(*command: str | Path) -> list[str]:
    """The command as somebody who may run PostgreSQL."""
    words = [str(word) for word in command]
    return ["setpriv", f"--reuid={USER}", "--clear-groups", *words] if os.getuid() == 0 else words


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not PROGRAMS:
        pytest.skip("the Debian package postgresql is not installed")
    # Folders of pytest's are for their owner alone.
    folder = Path(tempfile.mkdtemp(prefix="graft-postgresql-"))
    if os.getuid() == 0:
        shutil.chown(folder, USER)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    initdb = as_user(PROGRAMS[-1] / "initdb", "-D", folder / "data", "-A", "trust", "-U", "graft")
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    options = {"port": port, "unix_socket_directories": folder, "fsync": "off"}
    settings = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    process = subprocess.Popen(
        as_user(PROGRAMS[-1] / "postgres", "-D", folder / "data", *settings),
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    ready = [str(PROGRAMS[-1] / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, check=False).returncode:
        assert process.poll() is None, "PostgreSQL could not start"
        time.sleep(0.1)
    yield Server(port)
    process.send_signal(signal.SIGINT)
    process.wait()
    shutil.rmtree(folder)


def put_running(workspace: Workspace) -> int:
    """Records that the node Trainer is under way; returns the execution's number."""
    store = open_store(workspace, writes=True)
    kind = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Trainer"))
    node = store.put_context_type(metadata_store_pb2.ContextType(name="node"))
    execution = Execution(type_id=kind, last_known_state=Execution.RUNNING)
    contexts = [metadata_store_pb2.Context(type_id=node, name="graft.Trainer")]
    number, _, _ = store.put_execution(execution, [], contexts)
    return int(number)


@pytest.mark.slow
def test_a_database_is_of_one_workspace(server: Server, tmp_path: Path) -> None:
    address = server.new_database("one")
    mine, other = (Workspace(tmp_path / name, address) for name in ("mine", "other"))
    recover(mine)
    assert place_of(mine).is_there
    number = put_running(mine)
    with pytest.raises(UsageError, match=f"belongs to another workspace than {other.root}"):
        recover(other)
    (left,) = open_store(mine, writes=False).get_executions_by_id([number])
    assert left.last_known_state == Execution.RUNNING
    assert recover(mine).interrupted == ("Trainer",)
    (ended,) = open_store(mine, writes=False).get_executions_by_id([number])
    assert ended.last_known_state == Execution.FAILED


@pytest.mark.slow
def test_runs_find_there_what_earlier_ones_made(
    server: Server, digits_folder: Path, tmp_path: Path
) -> None:
    address = server.new_database("two")
    words = ("--data", digits_folder, "--workspace", tmp_path / "work", "--json")
    key = ("--set", "metadata.uri=$GRAFT_METADATA")
    for cached in (False, True):
        answer = graft("stage", "StatisticsGen", *words, *key, GRAFT_METADATA=address)
        assert answer.code == 0, answer.err
        stages = answer.summary["stages"]
        assert {name: each["cached"] for name, each in stages.items()} == {
            "ImageExampleGen": cached,
            "StatisticsGen": cached,
        }
    assert not (tmp_path / "work" / "metadata.sqlite").exists()
