"""A workspace whose ML Metadata lies in MariaDB, in the server that Debian packages."""

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from graft_command import graft
from ml_metadata.proto import metadata_store_pb2

from models.errors import UsageError
from pipeline.metadata_place import open_store, place_of
from pipeline.metadata_store import MetadataStoreError
from pipeline.recovery import recover
from pipeline.workspace import Workspace

SERVER = shutil.which("mariadbd")
PASSWORD = "not:to@be told"
Execution = metadata_store_pb2.Execution


@dataclass
class Server:
    """MariaDB on a port of its own."""

    port: int
    socket: Path

    def new_database(self, name: str) -> str:
        """Makes one; returns its address, password and all."""
        ask(self.socket, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return f"mysql://graft:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{name}"


def ask(socket_path: Path, words: str) -> bool:
    """Whether the server does what root says."""
    command = ["mariadb", "--no-defaults", "-S", str(socket_path), "-u", "root", "-e", words]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def certificate(folder: Path) -> list[str]:
    """Makes one of its own signing; returns the options of a server that has it."""
    files = {"key": folder / "server.key", "cert": folder / "server.pem"}
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    command = [*request, "-keyout", str(files["key"]), "-out", str(files["cert"])]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return [f"--ssl-{what}={file}" for what, file in files.items()]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if SERVER is None:
        pytest.skip("the Debian package mariadb-server is not installed")
    # A socket's path may have a hundred letters, fewer than pytest's folders have.
    folder = Path(tempfile.mkdtemp(prefix="graft-db-"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    common = ["--no-defaults", f"--datadir={folder}/data", f"--user={getpass.getuser()}"]
    made = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = Server(port, folder / "s")
    listens = [f"--socket={found.socket}", f"--port={port}", "--bind-address=127.0.0.1"]
    process = subprocess.Popen(
        [SERVER, *common, *listens, f"--pid-file={folder}/pid", *certificate(folder)],
        stderr=subprocess.DEVNULL,
    )
    while not ask(found.socket, "SELECT 1"):
        assert process.poll() is None, "MariaDB could not start"
        time.sleep(0.1)
    for user, how in (("graft", ""), ("careful", " REQUIRE SSL")):
        ask(found.socket, f"CREATE USER {user}@127.0.0.1 IDENTIFIED BY '{PASSWORD}'{how}")
        ask(found.socket, f"GRANT ALL ON *.* TO {user}@127.0.0.1")
    yield found
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Puts an address into a variable; returns how the configuration names that."""

    def hold(address: str) -> str:
        monkeypatch.setenv("GRAFT_METADATA", address)
        return "$GRAFT_METADATA"

    return hold


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
def test_a_database_is_of_one_workspace(
    server: Server, tmp_path: Path, held: Callable[[str], str]
) -> None:
    address = held(server.new_database("one"))
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
def test_a_database_is_taken_by_who_writes_and_not_by_who_reads(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAFT_METADATA", server.new_database("mine"))
    foreign = Workspace(tmp_path / "from somebody else")
    foreign.root.mkdir()
    (foreign.root / "metadata.id").write_text("0123")
    words = ("knowledge", "list", "--workspace", foreign.root)
    assert graft(*words).code == 0
    mine = Workspace(tmp_path / "mine", "$GRAFT_METADATA")
    recover(mine)
    place_of(mine).check()
    refused = graft(*words)
    assert refused.code == 2
    assert f"belongs to another workspace than {foreign.root}" in refused.err
    names = ("20261129-080000-000", "20261130-080000-000")
    for name in names:
        (mine.runs / name).mkdir(parents=True)
    pruned = graft("prune", "--runs", "1", "--yes", "--workspace", mine.root)
    assert pruned.code == 0, pruned.err
    assert [folder.name for folder in mine.run_folders()] == [names[1]]


@pytest.mark.slow
def test_an_encrypted_connection_is_made_where_it_is_asked_for(
    server: Server, tmp_path: Path, held: Callable[[str], str]
) -> None:
    address = server.new_database("encrypted").replace("graft:", "careful:")
    with pytest.raises(MetadataStoreError, match="a user and password of"):
        place_of(Workspace(tmp_path, held(address))).check()
    place_of(Workspace(tmp_path, held(f"{address}?tls"))).check()


@pytest.mark.slow
def test_runs_train_and_push_and_find_there_what_earlier_ones_made(
    server: Server, digits_folder: Path, tmp_path: Path
) -> None:
    address, work = server.new_database("runs"), tmp_path / "wörk \\ 'space'"
    words = ("--data", digits_folder, "--workspace", work, "--json")
    values = ["metadata.uri=$GRAFT_METADATA", "training.strategy=feature_extraction"]
    values += ["tuning.budget=0", "evaluation.min_accuracy=0"]
    keys = [word for value in values for word in ("--set", value)]
    for cached in (False, True):
        answer = graft("run", *words, *keys, GRAFT_METADATA=address)
        assert answer.code == 0, answer.err
        stages = answer.summary["stages"]
        assert {stages[name]["cached"] for name in ("Trainer", "Evaluator")} == {cached}
    assert not (work / "metadata.sqlite").exists()
    told = [file for file in (work / "runs").rglob("*") if file.is_file()]
    assert told
    secrets = (PASSWORD.encode(), quote(PASSWORD, safe="").encode())
    assert not [file for file in told if any(each in file.read_bytes() for each in secrets)]
    without = graft("run", *words)
    assert without.code == 2
    assert "lie in a database" in without.summary["reason"]
    for command in (("card",), ("export", "--calibration-images", "4"), ("knowledge", "list")):
        answer = graft(*command, "--workspace", work, GRAFT_METADATA=address)
        assert answer.code == 0, (command, answer.err)
