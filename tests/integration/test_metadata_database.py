"""A workspace whose ML Metadata lies in the MariaDB or PostgreSQL that Debian packages."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from database_servers import MARIADB, PASSWORD, POSTGRESQL, Server, mariadb, postgresql
from ml_metadata.proto import metadata_store_pb2
from ready_command import graft

from models.errors import UsageError
from pipeline.metadata_place import open_store, place_of
from pipeline.metadata_store import MetadataStoreError
from pipeline.recovery import recover
from pipeline.workspace import Workspace

Execution = metadata_store_pb2.Execution
TEXTS = [
    "back\\slash",
    "x\\; DROP TABLE Artifact; --",
    "\\",
    '{"a": "\\"q\\""}',
    "it's 1 % ⧵ ⧶⧵",
]


@pytest.fixture(scope="module", params=["mariadb", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    there, started = (MARIADB, mariadb) if request.param == "mariadb" else (POSTGRESQL, postgresql)
    if there is None:
        package = {"mariadb": "mariadb-server", "postgresql": "postgresql"}[request.param]
        pytest.skip(f"the Debian package {package} is not installed")
    with started() as found:
        yield found


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
    address = server.new_database("encrypted")
    if server.scheme != "mysql":
        with pytest.raises(UsageError, match="It holds something else"):
            place_of(Workspace(tmp_path, held(f"{address}?tls")))
        return
    address = address.replace("graft:", "careful:")
    with pytest.raises(MetadataStoreError, match="a user and password of"):
        place_of(Workspace(tmp_path, held(address))).check()
    place_of(Workspace(tmp_path, held(f"{address}?tls"))).check()


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["password", "database"])
def test_a_server_that_lets_nobody_in_is_named_with_what_it_needs(
    server: Server, tmp_path: Path, held: Callable[[str], str], wrong: str
) -> None:
    address = server.address("nowhere") if wrong == "database" else server.address("x", "other")
    with pytest.raises(MetadataStoreError, match="that is there, and a user and password of"):
        recover(Workspace(tmp_path, held(address)))


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back_and_is_found(
    server: Server, tmp_path: Path, held: Callable[[str], str], text: str
) -> None:
    address = held(server.new_database(f"texts_{TEXTS.index(text)}"))
    workspace = Workspace(tmp_path, address)
    recover(workspace)
    store = open_store(workspace, writes=True)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Any"))
    artifact = metadata_store_pb2.Artifact(type_id=kind, uri=f"/{text}", name=text)
    artifact.custom_properties[text].string_value = text
    (number,) = store.put_artifacts([artifact])
    for found in (
        *store.get_artifacts_by_id([number]),
        *store.get_artifacts_by_uri(f"/{text}"),
        store.get_artifact_by_type_and_name("Any", text),
    ):
        assert (found.id, found.name, found.uri) == (number, text, f"/{text}")
        assert {key: each.string_value for key, each in found.custom_properties.items()} == {
            text: text
        }


@pytest.mark.slow
def test_what_is_asked_for_comes_in_the_order_of_its_numbers(
    server: Server, tmp_path: Path, held: Callable[[str], str]
) -> None:
    workspace = Workspace(tmp_path, held(server.new_database("in_order")))
    recover(workspace)
    store = open_store(workspace, writes=True)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Any"))
    context = metadata_store_pb2.Context(name="one")
    context.type_id = store.put_context_type(metadata_store_pb2.ContextType(name="Any"))
    artifacts = [metadata_store_pb2.Artifact(type_id=kind, uri=f"/{n}") for n in range(4)]
    numbers = list(store.put_artifacts(artifacts))
    (context_number,) = store.put_contexts([context])
    pairs = [
        metadata_store_pb2.Attribution(artifact_id=each, context_id=context_number)
        for each in numbers
    ]
    store.put_attributions_and_associations(pairs, [])
    (first,) = store.get_artifacts_by_id(numbers[:1])
    first.state = metadata_store_pb2.Artifact.LIVE
    store.put_artifacts([first])
    for found in (
        store.get_artifacts(),
        store.get_artifacts_by_id(numbers),
        store.get_artifacts_by_type("Any"),
        store.get_artifacts_by_context(context_number),
    ):
        assert [each.id for each in found] == numbers


@pytest.mark.slow
def test_runs_train_and_push_and_find_there_what_earlier_ones_made(
    server: Server, digits_folder: Path, tmp_path: Path
) -> None:
    address, work = server.new_database("runs"), tmp_path / "wörk \\ 'space'"
    words = ("--data", digits_folder, "--workspace", work, "--json")
    values = ["metadata.uri=$GRAFT_METADATA", "training.strategy=feature_extraction"]
    values += ["tuning.budget=0", "evaluation.min_accuracy=0", "model.image_size=32"]
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
