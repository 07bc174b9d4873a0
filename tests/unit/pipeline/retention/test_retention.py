"""What a workspace keeps."""

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from pydantic import ValidationError

from components.publisher.publish import published_versions
from components.pusher.push import pushed_versions
from models.errors import UsageError
from models.storage.locations import write_place
from pipeline.cli import main
from pipeline.config import Config
from pipeline.config_file import as_yaml, load_config
from pipeline.retention.old_caches import surplus_caches
from pipeline.retention.old_runs import runs_to_keep, versions_to_keep
from pipeline.retention.prune import prune, prune_held
from pipeline.retention.removal import Removal
from pipeline.retention.retention_settings import RetentionSettings
from pipeline.workspace import Workspace
from serving.rollout.state import Rollout, RolloutFile

NOW = datetime(2026, 11, 28, tzinfo=timezone.utc)
_TYPES = ("Model", "ModelBlessing", "graft.TuningHistory", "Examples")


class Kept:
    """A workspace as runs leave it, with a real metadata store."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root)
        self.config = Config(workspace=str(root))
        connection = metadata_store_pb2.ConnectionConfig()
        root.mkdir()
        connection.sqlite.filename_uri = str(self.workspace.metadata)
        connection.sqlite.connection_mode = 3
        self.store = mlmd.MetadataStore(connection)
        self._run_type = self._type("context", "pipeline_run")
        self._execution_type = self._type("execution", "Trainer")
        self._artifact_types = {name: self._type("artifact", name) for name in _TYPES}

    def _type(self, of: str, name: str) -> int:
        made = getattr(metadata_store_pb2, f"{of.title()}Type")(name=name)
        return getattr(self.store, f"put_{of}_type")(made)

    def run(self, days_ago: int, version: int | None = None) -> str:
        """A run of its own, of an age, that perhaps pushed a version."""
        ended = NOW - timedelta(days=days_ago)
        folder = self.workspace.runs / ended.strftime("%Y%m%d-%H%M%S-000")
        folder.mkdir(parents=True)
        told = f'{{"status": "pushed", "model": {{"version": {version}}}}}'
        (folder / "summary.json").write_text(told if version else '{"status": "failed"}')
        os.utime(folder, (ended.timestamp(),) * 2)
        if version:
            pushed = self.config.serving_directory / str(version)
            pushed.mkdir(parents=True)
            (pushed / "saved_model.pb").write_bytes(b"x" * version)
        return folder.name

    def artifact(self, run: str, kind: str = "Model", read_by: str = "", **properties) -> Path:
        """What a run wrote, and perhaps another run read."""
        number = self._execution()
        place = self.workspace.artifacts / "Trainer" / kind.lower() / str(number)
        place.mkdir(parents=True)
        (place / "file").write_bytes(b"x" * 100)
        notes = self.workspace.artifacts / "Trainer" / ".system" / "executor_execution"
        (notes / str(number)).mkdir(parents=True)
        artifact = metadata_store_pb2.Artifact(
            type_id=self._artifact_types[kind],
            uri=str(place),
            state=metadata_store_pb2.Artifact.LIVE,
        )
        for key, value in properties.items():
            kind_of_value = "int_value" if isinstance(value, int) else "string_value"
            setattr(artifact.custom_properties[key], kind_of_value, value)
        (self.last,) = self.store.put_artifacts([artifact])
        self._link(run, self.last, number)
        if read_by:
            self._link(read_by, self.last, self._execution())
        return place

    def read(self, artifact: int, key: str) -> None:
        """Says that what made the last artifact read another one."""
        (made,) = self.store.get_events_by_artifact_ids([self.last])
        event = metadata_store_pb2.Event(
            artifact_id=artifact,
            execution_id=made.execution_id,
            type=metadata_store_pb2.Event.INPUT,
        )
        event.path.steps.add(key=key)
        self.store.put_events([event])

    def _execution(self) -> int:
        execution = metadata_store_pb2.Execution(type_id=self._execution_type)
        return self.store.put_executions([execution])[0]

    def _link(self, run: str, artifact: int, execution: int) -> None:
        context = self.store.get_context_by_type_and_name("pipeline_run", run)
        made = metadata_store_pb2.Context(type_id=self._run_type, name=run)
        number = context.id if context else self.store.put_contexts([made])[0]
        event = metadata_store_pb2.Event(
            artifact_id=artifact, execution_id=execution, type=metadata_store_pb2.Event.OUTPUT
        )
        self.store.put_events([event])
        self.store.put_attributions_and_associations(
            [], [metadata_store_pb2.Association(execution_id=execution, context_id=number)]
        )


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "work")


def test_runs_are_kept_by_number_by_age_and_for_the_versions_that_they_pushed(kept: Kept) -> None:
    names = [kept.run(9, version=1), kept.run(8), kept.run(5), kept.run(2, version=2), kept.run(1)]

    def stay(versions: set[int], **settings: int) -> list[int]:
        keep = RetentionSettings(**settings)
        folders = kept.workspace.run_folders()
        return [names.index(f.name) for f in runs_to_keep(folders, keep, versions, NOW)]

    assert stay(set()) == stay({1, 2}) == [0, 1, 2, 3, 4]
    assert stay(set(), runs=2) == [3, 4]
    assert stay(set(), days=5) == [2, 3, 4]
    assert stay(set(), days=0) == [4]
    assert stay(set(), runs=1, days=3) == [3, 4]
    assert stay({1}, runs=1) == [0, 4]


def test_stages_that_were_run_by_themselves_count_as_no_run(kept: Kept) -> None:
    def stage(days_ago: int) -> str:
        name = kept.run(days_ago)
        (kept.workspace.runs / name / "summary.json").write_text('{"status": "stage_done"}')
        return name

    def stay(runs: int) -> list[int]:
        folders = kept.workspace.run_folders()
        keep = RetentionSettings(runs=runs)
        return [names.index(f.name) for f in runs_to_keep(folders, keep, set(), NOW)]

    names = [stage(9), stage(8), kept.run(7), stage(6), stage(5), kept.run(4), stage(3)]
    assert stay(1) == [5, 6]
    assert stay(2) == [2, 3, 4, 5, 6]
    assert stay(3) == [2, 3, 4, 5, 6]


def test_versions_that_are_rolled_out_stay(kept: Kept) -> None:
    for version in range(1, 8):
        kept.run(20 - version, version=version)
    keep = RetentionSettings(versions=2)
    assert versions_to_keep(kept.config, RetentionSettings(runs=1)) == set(range(1, 8))
    assert versions_to_keep(kept.config, keep) == {6, 7}
    RolloutFile(kept.workspace.root / "gateway").create(Rollout(stable=3, canary=4))
    assert versions_to_keep(kept.config, keep) == {3, 4, 6, 7}
    with pytest.raises(ValidationError):
        RetentionSettings(versions=1)


def judged(model: int) -> dict[str, Any]:
    """What the Judge notes of a model that it blesses."""
    return {"blessed": 1, "current_model_id": model, "export_digest": "0f"}


def test_artifacts_stay_for_kept_runs_histories_and_the_models_to_compare_with(kept: Kept) -> None:
    old, new = kept.run(9), kept.run(1)
    gone = kept.artifact(old)
    shared = kept.artifact(old, read_by=new)
    history = kept.artifact(old, "graft.TuningHistory")
    blessed = []
    for _ in range(3):
        blessed.append(kept.artifact(old))
        kept.artifact(old, "ModelBlessing", **judged(kept.last))
    own = kept.artifact(new)
    orphan = kept.workspace.artifacts / "Trainer" / "model" / "9999"
    orphan.mkdir()
    keep = RetentionSettings(runs=1)

    planned = prune_held(kept.config, keep, delete=False)
    local = [each for each in planned if isinstance(each, Removal)]
    assert all(path.exists() for removal in local for path in removal.paths)
    assert (kept.workspace.runs / old).exists()

    assert prune_held(kept.config, keep, delete=True) == planned
    assert not any(place.exists() for place in (gone, blessed[0], orphan))
    assert all(place.exists() for place in (shared, history, *blessed[1:], own))
    assert [folder.name for folder in kept.workspace.run_folders()] == [new]
    notes = kept.workspace.artifacts / "Trainer" / ".system" / "executor_execution"
    assert not (notes / gone.name).exists()
    assert (notes / own.name).exists()
    live = metadata_store_pb2.Artifact.LIVE
    there = {Path(each.uri) for each in kept.store.get_artifacts() if each.state == live}
    assert gone not in there
    assert {shared, history, own} <= there
    assert prune_held(kept.config, keep, delete=True) == []


def test_the_images_that_the_next_comparison_needs_stay(kept: Kept) -> None:
    old, new = kept.run(days_ago=9), kept.run(days_ago=0)
    places = []
    for _ in range(3):
        places.append(kept.artifact(old, "Examples"))
        examples = kept.last
        kept.artifact(old)
        kept.read(examples, "examples")
        kept.artifact(old, "ModelBlessing", **judged(kept.last))
    kept.artifact(new)
    prune_held(kept.config, RetentionSettings(runs=1), delete=True)
    assert [place.exists() for place in places] == [False, True, True]


def test_caches_go_by_their_last_use_and_pairs_of_files_go_together(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for age, name in enumerate(
        ("embeddings/k/new.index.npy", "training/t/state.npz", "embeddings/k/old.index.npy")
    ):
        file = workspace.cache / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * 1000)
        partner = file.with_name(file.name.replace("index", "features").replace("state", "best"))
        partner.write_bytes(b"x" * 1000)
        for each in (file, partner):
            os.utime(each, (1e9 - age, 1e9 - age))
    (workspace.cache / "digests").mkdir()
    (workspace.cache / "digests" / "d.json").write_bytes(b"x" * 10**6)

    def going(gigabytes: float | None) -> list[str]:
        found = surplus_caches(workspace, gigabytes)
        return [path.name for removal in found for path in removal.paths]

    assert going(None) == going(6e-6) == []
    assert going(4e-6) == ["old.index.npy", "old.features.npy"]
    assert len(going(0.0)) == 6


def test_what_is_shown_is_not_deleted_and_what_is_kept_must_be_said(kept: Kept, capsys) -> None:
    kept.run(9)
    kept.run(1)
    with pytest.raises(UsageError, match="--runs"):
        prune(kept.config, RetentionSettings(), delete=True)
    assert prune(kept.config, RetentionSettings(runs=1), delete=False) == 0
    assert "Would delete runs: 1, 20 bytes\nNothing was deleted." in capsys.readouterr().out
    assert len(kept.workspace.run_folders()) == 2
    assert prune(kept.config, RetentionSettings(runs=1), delete=True) == 0
    assert capsys.readouterr().out == "Deleted runs: 1, 20 bytes\n"
    assert prune(kept.config, RetentionSettings(runs=1), delete=True) == 0
    assert capsys.readouterr().out == "There is nothing to delete.\n"


def test_a_link_is_taken_away_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_bytes(b"x" * 500)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "link").symlink_to(tmp_path / "precious")
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    removal = Removal.of("runs", tmp_path / "old", tmp_path / "link")
    assert removal.size < 500
    removal.delete()
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
    assert (tmp_path / "precious" / "file").exists()


def test_published_versions_go_with_the_pushed_ones(kept: Kept, tmp_path: Path) -> None:
    target = f"memory://{tmp_path.name}/models"
    for number in (1, 2, 3, 4, 9, 90):
        write_place(f"{target}/{number}/saved_model.pb", b"x" * number)
        if number < 9:
            kept.run(10 - number, number)
    serving = kept.config.serving.model_copy(update={"publish": target})
    config = kept.config.model_copy(update={"serving": serving})
    keep = RetentionSettings(versions=2)
    planned = prune_held(config, keep, delete=False)
    gone = [each for each in planned if each.kind == "published versions"]
    assert [each.size for each in gone] == [1, 2]
    assert published_versions(target) == [1, 2, 3, 4, 9, 90]
    assert prune_held(config, RetentionSettings(versions=3), delete=True, inside_only=True)
    assert sorted(pushed_versions(config.serving_directory)) == [2, 3, 4]
    assert published_versions(target) == [1, 2, 3, 4, 9, 90]
    assert {*prune_held(config, keep, delete=True)} < {*planned}
    assert published_versions(target) == [3, 4, 9, 90]
    assert sorted(pushed_versions(config.serving_directory)) == [3, 4]
    assert prune_held(config, RetentionSettings(runs=1), delete=True)
    assert published_versions(target) == [3, 4, 9, 90]


def test_what_only_a_file_of_the_workspace_names_is_left_alone(
    kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, directory = f"memory://{tmp_path.name}/models", tmp_path / "elsewhere"
    for number in (1, 2, 3):
        write_place(f"{target}/{number}/saved_model.pb", b"x")
        (directory / str(number)).mkdir(parents=True)
    serving = {"serving.publish": target, "serving.directory": str(directory)}
    workspace = kept.workspace.root
    config = load_config(None, {"workspace": str(workspace), **serving})
    (kept.workspace.runs / kept.run(1, 3) / "config.yaml").write_text(as_yaml(config))
    asked = ["prune", "--workspace", str(workspace), "--versions", "2", "--yes"]
    assert main(asked) == 0
    told = capsys.readouterr().out
    assert f"{directory} is left as it is: only a file of the workspace names it" in told
    assert f"{target} is left as it is" in told
    assert sorted(pushed_versions(directory)) == [1, 2, 3]
    assert published_versions(target) == [1, 2, 3]
    (tmp_path / "own.yaml").write_text(as_yaml(config))
    assert main([*asked, "--config", str(tmp_path / "own.yaml")]) == 0
    assert "is left as it is" not in capsys.readouterr().out
    assert sorted(pushed_versions(directory)) == [2, 3]
    assert published_versions(target) == [2, 3]
