import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from graft_command import Answer, graft_here

from components.class_changes import ClassChange
from components.image_register import REGISTER_FILE, ImageRegister
from pipeline import class_memory
from pipeline.workspace import Workspace

SCHEMA = """# ours
feature { name: "label" type: BYTES domain: "label" }
string_domain {
  name: "label"
  value: "boot"
  value: "hat"
}
"""
CHANGES = (
    ClassChange("renamed", ("boot",), ("shoe",), images=30, moved=20),
    ClassChange("added", (), ("scarf",), images=9),
)
CLASSES = {"shoe": 30, "scarf": 9, "hat": 12}

Schema = Callable[..., Answer]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "workspace")
    schema = workspace.root / "schema" / "schema.pbtxt"
    schema.parent.mkdir(parents=True)
    schema.write_text(SCHEMA)
    return workspace


@pytest.fixture
def schema(workspace: Workspace, tmp_path: Path) -> Schema:
    def ask(*arguments: str | Path) -> Answer:
        return graft_here(tmp_path, "schema", *arguments, "--workspace", workspace.root)

    return ask


def ran(
    workspace: Workspace,
    name: str,
    changes: tuple[ClassChange, ...] | None = CHANGES,
    classes: dict[str, int] = CLASSES,
) -> None:
    """Leaves what a run leaves that found changes; None where it did not come so far."""
    folder = workspace.runs / name
    folder.mkdir(parents=True)
    found = {"classes": classes, "changes": [dataclasses.asdict(each) for each in changes or ()]}
    told = {"status": "failed", "data": {"class_changes": None if changes is None else found}}
    (folder / "summary.json").write_text(json.dumps(told))
    (folder / "config.yaml").write_text("{}")


def content(workspace: Workspace) -> str:
    return (workspace.root / "schema" / "schema.pbtxt").read_text()


def test_the_last_runs_classes_are_shown_accepted_once_and_then_refused(
    workspace: Workspace, schema: Schema
) -> None:
    ran(workspace, "20260101-000000-000")
    ran(workspace, "20260102-000000-000", None)
    shown = schema("show")
    assert shown.code == 0
    assert 'class "boot" is now class "shoe" (30 images, 20 of them' in shown.out
    assert content(workspace) == SCHEMA
    accepted = schema("accept")
    assert accepted.code == 0
    assert 'class "scarf" is new, with 9 images' in accepted.out
    assert "3 classes into" in accepted.out
    assert "2 came, 1 went" in accepted.out
    expected = SCHEMA.replace('  value: "boot"\n', "").removesuffix("}\n")
    assert content(workspace) == f'{expected}  value: "scarf"\n  value: "shoe"\n}}\n'
    again = schema("accept")
    assert again.code == 2
    assert "nothing to accept" in again.err
    assert "scarf" not in schema("show").out.partition("found others")[2]


def test_an_exchange_of_names_is_shown_and_accepted_once(
    workspace: Workspace, schema: Schema
) -> None:
    swap = ClassChange("exchanged", ("boot", "hat"), ("hat", "boot"), images=30, moved=30)
    ran(workspace, "20260101-000000-000", (swap,), {"boot": 20, "hat": 10})
    memory = class_memory.folder(workspace)
    ImageRegister.of([("00" * 32, "train", "hat")]).save(memory / REGISTER_FILE)
    assert class_memory.forgotten(workspace) == ""
    assert '"boot" is now "hat", "hat" is now "boot"' in schema("show").out
    accepted = schema("accept")
    assert (accepted.code, content(workspace)) == (0, SCHEMA)
    assert '"boot" is now "hat", "hat" is now "boot"' in accepted.out
    # The findings are looked for anew, as by a first run.
    assert class_memory.forgotten(workspace) != ""
    assert not (memory / REGISTER_FILE).exists()
    assert schema("accept").code == 2
    assert "exchanged" not in schema("show").out
    shutil.rmtree(workspace.cache)
    assert class_memory.forgotten(workspace) != ""


def test_missing_classes_can_be_kept(workspace: Workspace, schema: Schema) -> None:
    ran(workspace, "20260101-000000-000")
    assert schema("accept", "--keep-missing").code == 0
    assert all(f'"{label}"' in content(workspace) for label in ("boot", "hat", "shoe", "scarf"))


def test_the_data_itself_can_be_looked_at(
    workspace: Workspace, schema: Schema, digits_folder: Path
) -> None:
    files = sorted((digits_folder / "3").iterdir())
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    register = ImageRegister.of((digest, "train", "hat") for digest in digests)
    register.save(workspace.cache / "classes" / REGISTER_FILE)
    answer = schema("accept", "--data", digits_folder)
    assert answer.code == 0, answer.err
    assert 'class "hat" is now class "3" (20 images, 20 of them known before' in answer.out
    assert "10 classes into" in answer.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["accept"], "No run in"),
        (["accept", "--data", "nowhere"], "nowhere"),
        (["accept", "--config", "none.yaml"], "There is no configuration file none.yaml"),
    ],
)
def test_what_cannot_be_accepted_is_said(schema: Schema, arguments: list[str], told: str) -> None:
    answer = schema(*arguments)
    assert answer.code in (2, 3)
    assert told in answer.err


def test_there_is_nothing_to_show_before_the_first_run(
    workspace: Workspace, schema: Schema
) -> None:
    (workspace.root / "schema" / "schema.pbtxt").unlink()
    answer = schema("show")
    assert answer.code == 2
    assert "The first run writes it" in answer.err


def test_a_damaged_note_of_what_was_accepted_stops_no_run(workspace: Workspace) -> None:
    assert class_memory.forgotten(workspace) == ""
    register = class_memory.folder(workspace) / REGISTER_FILE
    register.parent.mkdir(parents=True)
    register.write_bytes(b"images")
    class_memory.forget(workspace)
    accepted = class_memory.forgotten(workspace)
    assert len(accepted) == 64
    (note,) = (workspace.root / "schema").glob("forgotten")
    note.write_bytes(b"\xff\xfe" + note.read_bytes()[2:])
    assert class_memory.forgotten(workspace) not in ("", accepted)
