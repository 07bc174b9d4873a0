"""`graft knowledge`, on a workspace with imported histories and a metadata store of runs."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ml_metadata as mlmd
import pytest
from histories import history, task, write
from ml_metadata.proto import metadata_store_pb2

from components.artifact_names import TUNING_HISTORY
from components.past_searches.knowledge import find_knowledge
from models.history.collection import collect
from models.history.shipped import starter_files
from models.storage.locations import files_in, write_place
from pipeline.cli import main
from pipeline.config import Config
from pipeline.config_file import load_config
from pipeline.knowledge.history_places import data_name, places
from pipeline.knowledge.print_histories import print_list
from pipeline.knowledge.transfer import export_all, import_from
from pipeline.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Holds one imported history, "hats", and one of a run, "boots"."""
    workspace = Workspace(tmp_path / "workspace")
    write(
        workspace.knowledge / "hats.jsonl",
        history(task("hats", images=2000), [0.5, 0.9], name="hats", created="2026-01-05"),
    )
    folder = workspace.artifacts / "Tuner" / "history" / "7"
    write(
        folder / "history.jsonl",
        history(task("boots"), [0.3, None], name="boots", created="2026-02-05"),
    )
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(workspace.metadata)
    config.sqlite.connection_mode = (
        metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    )
    store = mlmd.MetadataStore(config)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name=TUNING_HISTORY))
    live = metadata_store_pb2.Artifact.LIVE
    store.put_artifacts([metadata_store_pb2.Artifact(type_id=kind, uri=str(folder), state=live)])
    return workspace


def knowledge(workspace: Workspace, *arguments: str | Path, starter: bool = False) -> int:
    words = [str(argument) for argument in arguments]
    file = workspace.root.parent / "graft.yaml"
    file.write_text(json.dumps({"knowledge": {"starter": starter}}))
    return main(["knowledge", *words, "--workspace", str(workspace.root), "--config", str(file)])


def test_list_shows_runs_imports_and_what_cannot_be_read(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    write(workspace.knowledge / "bad.jsonl", b"nothing")
    assert knowledge(workspace, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "boots, 2026-02-05" in lines[1]
    assert "hats, 2026-01-05" in lines[2]
    assert "2,000 images, 3 classes, EfficientNetLite0 at 224 px" in lines[2]
    assert str(workspace.knowledge / "hats.jsonl") in lines[2]
    assert "bad.jsonl: " in lines[-1]
    assert "not a tuning history" in lines[-1]


def test_an_empty_workspace_says_what_fills_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = Workspace(tmp_path / "empty")
    assert knowledge(empty, "list") == 0
    assert "graft knowledge import" in capsys.readouterr().out
    assert knowledge(empty, "export", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_what_comes_with_graft_is_listed_last_and_not_exported(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A copy counts as what it is.
    shutil.copy(starter_files()[0], workspace.knowledge / "copy.jsonl")
    assert knowledge(workspace, "list", starter=True) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert ["comes with Graft" in line for line in lines] == [False] * 2 + [True] * (len(lines) - 2)
    assert len(lines) == 2 + len(starter_files())
    assert knowledge(workspace, "show", "3", starter=True) == 0
    assert "(starter), " in capsys.readouterr().out.splitlines()[0]
    assert knowledge(workspace, "export", tmp_path / "out", starter=True) == 0
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_before_the_first_run_there_is_only_what_comes_with_graft(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = Workspace(tmp_path / "empty")
    assert knowledge(empty, "list", starter=True) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(starter_files())
    assert "Nothing yet that a search could learn from but what comes with Graft" in lines[-1]
    assert knowledge(empty, "export", tmp_path / "out", starter=True) == 2


def test_show_takes_a_number_or_the_beginning_of_a_name(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert knowledge(workspace, "show", "2") == 0
    by_number = capsys.readouterr().out
    assert knowledge(workspace, "show", "hats") == 0
    assert capsys.readouterr().out == by_number
    assert "rate from 0.0001 to 0.1, logarithmic" in by_number
    assert "2 completed, 0 failed" in by_number
    assert "trial 1: rate 0.001" in by_number


@pytest.mark.parametrize("which", ["3", "0", "shoes", ""])
def test_show_refuses_what_names_no_history(
    workspace: Workspace, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert knowledge(workspace, "show", which) == 2
    assert capsys.readouterr().err.startswith("graft: ")


def test_what_is_exported_can_be_imported_elsewhere(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert knowledge(workspace, "export", tmp_path / "out") == 0
    names = sorted(path.name.rpartition("-")[0] for path in (tmp_path / "out").iterdir())
    assert names == ["boots-2026-02-05", "hats-2026-01-05"]
    other = Workspace(tmp_path / "other")
    (tmp_path / "out" / "notes.jsonl").write_text("x")
    assert knowledge(other, "import", tmp_path / "out") == 0
    assert "Left out notes.jsonl" in capsys.readouterr().out
    assert len(list(other.knowledge.iterdir())) == 2
    # What came from here is nothing new here.
    assert knowledge(workspace, "import", tmp_path / "out") == 0
    capsys.readouterr()
    assert knowledge(workspace, "list") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_copy_of_what_comes_with_graft_is_imported_where_it_is_not_known_already(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copy(starter_files()[0], tmp_path / "copy.jsonl")
    before = set(workspace.knowledge.iterdir())
    assert knowledge(workspace, "import", copy, starter=True) == 0
    told = capsys.readouterr().out
    assert "(starter), " in told
    assert "it comes with Graft, and searches know it already" in told
    assert "Imported" not in told
    assert set(workspace.knowledge.iterdir()) == before

    assert knowledge(workspace, "import", copy) == 0
    assert "Imported 1 history" in capsys.readouterr().out
    assert knowledge(workspace, "list") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "(starter), " in line]
    assert "comes with Graft" not in line
    imported = [str(workspace.knowledge)]
    runs = find_knowledge(imported, workspace.artifacts, starter=False)
    assert len(runs.files) == 2
    assert len(find_knowledge(imported, workspace.artifacts, starter=True).files) == 1


def test_nothing_in_a_history_steers_the_terminal(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b[31mred\x07\u202e"
    content = json.loads((workspace.knowledge / "hats.jsonl").read_text().splitlines()[0])
    trials = (workspace.knowledge / "hats.jsonl").read_text().splitlines()[1:]
    content["name"] = content["created"] = content["search"]["algorithm"] = evil
    content["task"] |= {"backbone": evil, "data_fingerprint": evil}
    lines = "\n".join([json.dumps(content), *trials]) + "\n"
    for name in ("", "copy "):
        write(workspace.knowledge / f"{name}{evil}.jsonl", lines.encode())
    write(workspace.knowledge / f"bad {evil}.jsonl", b"nothing")
    for words in (["list"], ["show", "?["], ["import", str(workspace.knowledge)]):
        assert knowledge(workspace, *words) == 0
        assert_harmless(capsys.readouterr().out)
    assert knowledge(workspace, "prune", "--keep", "0") == 0
    assert_harmless(capsys.readouterr().out)


def assert_harmless(printed: str) -> None:
    assert "red" in printed
    assert all(line.isprintable() for line in printed.splitlines())


def test_import_refuses_what_holds_no_history(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "bad.jsonl", b"nothing")
    for source in (tmp_path / "bad.jsonl", tmp_path / "absent", "nowhere://bucket"):
        assert knowledge(workspace, "import", source) == 2
        assert "no history to import" in capsys.readouterr().err
    assert len(list(workspace.knowledge.iterdir())) == 1


def test_teams_share_a_folder_at_the_same_time(tmp_path: Path) -> None:
    folder, teams = tmp_path / "shared", [Workspace(tmp_path / name) for name in "abcd"]
    for team in teams:
        for number in range(5):
            # One history is everybody's.
            name = f"boots {number}" + (team.root.name if number else "")
            write(team.knowledge / f"{number}.jsonl", history(task(name), name=name))
    export_all(Config(workspace=str(teams[0].root)), str(folder))
    with ThreadPoolExecutor(8) as pool:
        done = [
            pool.submit(action, Config(workspace=str(team.root)), str(folder))
            for _ in range(3)
            for team in teams
            for action in (export_all, import_from)
        ]
    assert {each.result() for each in done} == {0}
    assert len(list(folder.iterdir())) == 4 * 4 + 1
    for team in teams:
        found = collect([("", team.knowledge)])
        assert len(found.entries) >= 5
        assert found.skipped == ()


def test_export_leaves_alone_what_others_have_written(workspace: Workspace, tmp_path: Path) -> None:
    assert knowledge(workspace, "export", tmp_path / "out") == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert knowledge(workspace, "export", tmp_path / "out") == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before


def test_export_refuses_a_place_that_cannot_be_written(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert knowledge(workspace, "export", tmp_path / "file") == 2
    assert "cannot be exported" in capsys.readouterr().err


def test_prune_forgets_the_oldest_and_leaves_the_files_of_runs(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert knowledge(workspace, "prune", "--keep", "1") == 0
    assert not (workspace.knowledge / "hats.jsonl").exists()
    assert knowledge(workspace, "prune", "--keep", "0") == 0
    assert (workspace.artifacts / "Tuner" / "history" / "7" / "history.jsonl").exists()
    capsys.readouterr()
    assert knowledge(workspace, "list") == 0
    assert "Nothing yet" in capsys.readouterr().out


def test_prune_by_age(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert knowledge(workspace, "prune", "--older-than", "36500") == 0
    assert "0 of 2" in capsys.readouterr().out
    assert knowledge(workspace, "prune", "--older-than", "0") == 0
    assert "2 of 2" in capsys.readouterr().out


def test_prune_must_be_told_which(workspace: Workspace) -> None:
    assert knowledge(workspace, "prune") == 2
    with pytest.raises(SystemExit, match="2"):
        knowledge(workspace, "prune", "--keep", "-1")
    assert (workspace.knowledge / "hats.jsonl").exists()


def test_a_damaged_list_of_pruned_histories_is_named(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.knowledge / "forgotten.json").write_text("{")
    assert knowledge(workspace, "list") == 1
    assert "forgotten.json" in capsys.readouterr().err


def test_a_damaged_metadata_store_is_named(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.metadata.write_bytes(b"not a database" * 100)
    assert knowledge(workspace, "list") == 1
    assert "metadata.sqlite cannot be read" in capsys.readouterr().err


def test_places_in_a_configuration_file_are_relative_to_it_and_buckets_stay(
    tmp_path: Path,
) -> None:
    file = tmp_path / "graft.yaml"
    named = {"paths": ["team", "gs://bucket/team"], "share": "gs://bucket/team"}
    file.write_text(json.dumps({"knowledge": named}))
    config = load_config(file, {})
    assert config.knowledge.paths == (str(tmp_path / "team"), "gs://bucket/team")
    assert config.knowledge.share == "gs://bucket/team"


def test_a_folder_that_nobody_has_shared_anything_in_yet_is_not_missed(tmp_path: Path) -> None:
    team, absent = str(tmp_path / "team"), str(tmp_path / "absent")
    shared = {"paths": (team, absent), "share": team}
    config = Config.model_validate({"workspace": str(tmp_path / "new"), "knowledge": shared})
    assert places(config) == [absent]
    Path(team).mkdir()
    assert places(config) == [team, absent]


def test_nor_is_a_bucket_that_nobody_has_shared_anything_in_yet(tmp_path: Path) -> None:
    team = f"memory://{tmp_path.name}/team"
    config = Config.model_validate({"knowledge": {"paths": (team,), "share": team}})
    assert places(config) == []
    write_place(f"{team}/one.jsonl", b"")
    assert places(config) == [team]


def test_histories_go_to_a_bucket_and_come_from_it(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    team = f"memory://{tmp_path.name}/team"
    other = Workspace(tmp_path / "other")
    assert knowledge(workspace, "export", team) == 0
    assert knowledge(other, "import", team) == 0
    assert knowledge(other, "import", team) == 0
    exported = sorted(place.rpartition("/")[2] for place in files_in(team, ".jsonl"))
    assert exported
    assert sorted(file.name for file in other.knowledge.glob("*.jsonl")) == exported


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data/clothing", "clothing"),
        ("/data/clothing/{SPAN}/v{VERSION}", "clothing"),
        ("/data/manifest.csv", "manifest"),
        ("/data/shoes [2]*{x}/{YYYY}-{MM}-{DD}", "shoes [2]*{x}"),
        ("/", ""),
    ],
)
def test_the_name_of_data_is_its_last_folder(path: str, name: str) -> None:
    assert data_name(path) == name


def test_a_forged_copy_of_ones_own_search_is_left_out_with_the_reason(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a run's history the forger has the header; the scores are upside down, one trial more."""
    rates, scores = [1e-3, 2e-3, 3e-3], [0.9, 0.6, 0.2]
    own = workspace.artifacts / "Tuner" / "history" / "7" / "history.jsonl"
    write(own, history(task("boots"), scores, rates=rates, name="boots"))
    upside_down = [*(1 - score for score in scores), 0.95]
    forged = history(task("boots"), upside_down, rates=[*rates, 4e-3], name="boots")
    write(workspace.root.parent / "team" / "forged.jsonl", forged)
    team = str(workspace.root.parent / "team")
    values = {"workspace": str(workspace.root), "knowledge": {"starter": False, "paths": [team]}}
    config = load_config(None, values)
    assert print_list(config) == 0
    listed, left_out = capsys.readouterr().out.split("Left out:")
    assert str(own) in listed
    assert "team" not in listed
    assert "says that it is the same search as boots" in left_out
    assert str(own) in left_out


def test_a_damaged_list_of_pruned_histories_is_told(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    file = workspace.knowledge / "forgotten.json"
    for content in (b"", b"[1]", b'["abc"]', b"[" * 100_000, b'{"a": 1}', b"\xff"):
        file.write_bytes(content)
        assert knowledge(workspace, "list") == 1
        assert f"{file}, the list of pruned histories, is damaged" in capsys.readouterr().err
