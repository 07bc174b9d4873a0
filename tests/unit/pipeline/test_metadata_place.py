"""Where ML Metadata of a workspace lies."""

from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.config_file import load_config
from pipeline.metadata_place import MetadataDatabase, place_of
from pipeline.metadata_store import MetadataStoreError
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


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    place = MetadataDatabase(ADDRESS, tmp_path / "metadata.id")
    with pytest.raises(MetadataStoreError) as caught:
        place.check()
    assert "mysql://graft@127.0.0.1:1/records cannot be read" in str(caught.value)
    assert "p@ss" not in str(caught.value)
    assert "p%40ss" not in str(caught.value)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ("", "It is empty."),
        ("postgresql://graft@host/records", "It holds something else."),
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


@pytest.mark.parametrize("uri", [ADDRESS, "records.sqlite", "postgresql://graft@host/records"])
def test_a_configuration_holds_no_password_and_no_other_database(uri: str) -> None:
    with pytest.raises(UsageError, match="a password may stand in the variable alone"):
        load_config(None, {"metadata.uri": uri})


@pytest.mark.parametrize("place", ["host:99999", "host:0", "[host"])
def test_a_configuration_holds_no_place_that_cannot_be(place: str) -> None:
    with pytest.raises(
        UsageError, match=r"metadata\.uri: expected mysql://USER@HOST:PORT/DATABASE"
    ):
        load_config(None, {"metadata.uri": f"mysql://graft@{place}/records"})
