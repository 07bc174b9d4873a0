"""Where ML Metadata of a workspace lies."""

import socket
from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.cli import main
from pipeline.config_file import load_config
from pipeline.metadata_address import MetadataAddress
from pipeline.metadata_place import MetadataDatabase, place_of
from pipeline.metadata_store import MetadataFile, MetadataStoreError
from pipeline.workspace import Workspace

ADDRESS = "mysql://graft:p%40ss@127.0.0.1:1/records"


def test_the_address_of_a_database_is_taken_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDS", ADDRESS)
    keys = {"workspace": str(tmp_path), "metadata.uri": "$RECORDS"}
    place = place_of(Workspace.of(load_config(None, keys)))
    found = place.connection(writes=True).mysql
    assert (found.host, found.port, found.database) == ("127.0.0.1", 1, "records")
    assert (found.user, found.password) == ("graft", "p@ss")
    assert not place.is_there


def test_to_postgresql_each_part_of_an_address_is_quoted() -> None:
    address = MetadataAddress.parse("postgresql://o%27neil:p%20w%5C@db/re%20cords")
    found = address.connection().postgresql
    assert (found.host, found.port, found.dbname) == ("'db'", "5432", "'re cords'")
    assert (found.user, found.password) == (r"'o\'neil'", r"'p w\\'")


def test_an_address_is_told_without_its_password() -> None:
    assert "p@ss" not in repr(MetadataAddress.parse(ADDRESS))


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    place = MetadataDatabase(MetadataAddress.parse(ADDRESS), tmp_path / "metadata.id")
    with pytest.raises(MetadataStoreError) as caught:
        place.check()
    assert "mysql://graft@127.0.0.1:1/records cannot be read" in str(caught.value)
    assert "p@ss" not in str(caught.value)
    assert "p%40ss" not in str(caught.value)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ("", "It is empty."),
        ("postgresql://graft@host/records?tls", "It holds something else."),
        ("postgresql://graft@host:0/records", "It holds something else."),
        ("oracle://graft@host/records", "It holds something else."),
        ("mysql://host/records", "It holds something else."),
        ("mysql://graft@host", "It holds something else."),
        ("mysql://graft@host:high/records", "It holds something else."),
        ("mysql://graft@host/records?ssl=1", "It holds something else."),
        ("mysql://graft:a#b@host/records", "It holds something else."),
        ("mysql://graft@[host/records", "It holds something else."),
        ("mysql://graft@host:99999/records", "It holds something else."),
    ],
)
def test_a_variable_without_an_address_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str, words: str
) -> None:
    monkeypatch.setenv("RECORDS", held)
    with pytest.raises(UsageError, match=words):
        place_of(Workspace(tmp_path, "$RECORDS"))


@pytest.mark.parametrize("uri", [ADDRESS, "records.sqlite", "postgresql://graft@host/records?tls"])
def test_a_configuration_holds_no_password_and_no_other_database(uri: str) -> None:
    with pytest.raises(UsageError, match="a password may stand in the variable alone"):
        load_config(None, {"metadata.uri": uri})


@pytest.mark.parametrize("place", ["host:99999", "host:0", "[host"])
def test_a_configuration_holds_no_place_that_cannot_be(place: str) -> None:
    with pytest.raises(
        UsageError, match=r"metadata\.uri: expected mysql://USER@HOST:PORT/DATABASE"
    ):
        load_config(None, {"metadata.uri": f"mysql://graft@{place}/records"})


def test_of_a_workspace_that_no_configuration_speaks_of_the_variable_says_where_records_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAFT_METADATA", ADDRESS)
    workspace, own = Workspace(tmp_path), tmp_path / "metadata.id"
    assert place_of(workspace) == MetadataFile(tmp_path / "metadata.sqlite")
    own.write_text("0123")
    assert place_of(workspace) == MetadataDatabase(MetadataAddress.parse(ADDRESS), own)
    other = "mysql://graft@other/records"
    assert place_of(Workspace(tmp_path, other)) == MetadataDatabase(
        MetadataAddress.parse(other), own
    )


@pytest.mark.parametrize("held", ["", "mysql://host/records"])
def test_without_an_address_the_message_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    monkeypatch.setenv("GRAFT_METADATA", held)
    (tmp_path / "metadata.id").write_text("0123")
    with pytest.raises(UsageError, match="environment variable GRAFT_METADATA to"):
        place_of(Workspace(tmp_path))


@pytest.mark.parametrize("address", ["mysql://root@127.0.0.1:{}/records", "$SECRETS_OF_THE_USER"])
@pytest.mark.parametrize(
    "words",
    [("prune", "--runs", "1"), ("export",), ("knowledge", "list"), ("knowledge", "export", "{}")],
)
def test_no_file_of_a_workspace_says_where_to_connect_to(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    address: str,
) -> None:
    monkeypatch.delenv("GRAFT_METADATA", raising=False)
    work = tmp_path / "from somebody else"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        port = listener.getsockname()[1]
        reached = f"mysql://user:secret@127.0.0.1:{port}/records"
        monkeypatch.setenv("SECRETS_OF_THE_USER", reached)
        (work / "serving" / "graft" / "1").mkdir(parents=True)
        (work / "metadata.id").write_text("0123")
        for name in ("20261129-080000-000", "20261130-080000-000"):
            folder = work / "runs" / name
            folder.mkdir(parents=True)
            (folder / "summary.json").write_text('{"status": "pushed"}')
            uri = address.format(port)
            (folder / "config.yaml").write_text(f"metadata: {{uri: '{uri}'}}\n")
        given = [word.format(tmp_path / "copies") for word in words]
        assert main([*given, "--workspace", str(work)]) == 2
        assert "lie in a database. Expected metadata.uri to say where" in capsys.readouterr().err
        with pytest.raises(BlockingIOError):
            listener.accept()
