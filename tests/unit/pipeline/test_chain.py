"""The links of `model.chain`: what each is run with, and which is run again."""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2

from components.artifact_names import KERAS_FILE, SERVING_FOLDER
from components.image_register import REGISTER_FILE, ImageRegister
from models.backbone_record import read_record
from models.backbones import build_backbone
from models.backbones.backbone_file import read_images
from models.export.assets import FOLDER, LICENCE_FILE
from models.head.head_model import build_head
from models.storage.seals import DESCRIPTION
from models.training.training_task import with_head
from pipeline.chain import after_chain
from pipeline.config import Config
from pipeline.report.run_record import RunRecord
from pipeline.workspace import Workspace

BACKBONE = "MobileNet"


class Links:
    """Trains links in no time: each has other random weights than it began with."""

    def __init__(self) -> None:
        self.configs: list[Config] = []
        self.exported = "fine_tuned"

    def __call__(self, config: Config) -> RunRecord:
        self.configs.append(config)
        workspace = Workspace(config.workspace_path)
        run = f"run {len(self.configs)}"
        (workspace.runs / run).mkdir(parents=True)
        model, examples = (workspace.artifacts / name for name in ("model", "examples"))
        examples.mkdir(parents=True, exist_ok=True)
        # The last byte of a data set's only image tells its training from others.
        image = next(Path(config.data.path).glob("*/*")).read_bytes()[-1]
        register = ImageRegister.of([(f"{image:02x}" * 32, "train", "cat")])
        register.save(examples / REGISTER_FILE)
        _write_model(model, config.model.weights, self.exported, image)
        _note(workspace, model)
        now = datetime.now(timezone.utc)
        made = {"model": str(model), "examples": str(examples)}
        return RunRecord(run_id=run, started=now, config={}, artifacts=made)


def _write_model(folder: Path, weights: str, exported: str, seed: int) -> None:
    backbone = build_backbone(BACKBONE, "none", 32, seed=seed)
    model = with_head(backbone.model, build_head(backbone.dimension, 2))
    (folder / KERAS_FILE).parent.mkdir(parents=True, exist_ok=True)
    model.save(folder / KERAS_FILE)
    before = read_record(weights)
    told: dict[str, Any] = {
        "backbone": BACKBONE,
        "image_size": 32,
        "resize": "stretch",
        "labels": ["cat", "dog"],
        "exported": exported,
        "begun_from": "",
        "weights": weights,
        "weights_digest": "0" * 64,
        "model_digest": f"{seed:02x}" * 32,
        "data_fingerprint": "f" * 64,
        "training_images": 1,
        "chain": [each.model_dump() for each in before.links] if before else [],
    }
    serving = folder / SERVING_FOLDER
    (serving / FOLDER).mkdir(parents=True, exist_ok=True)
    (serving / DESCRIPTION).write_text(json.dumps(told))
    (serving / FOLDER / LICENCE_FILE).write_text("MIT")


def _note(workspace: Workspace, model: Path) -> None:
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(workspace.metadata)
    store = mlmd.MetadataStore(connection)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Model"))
    store.put_artifacts([metadata_store_pb2.Artifact(type_id=kind, uri=str(model))])


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Of a run with a chain of two folders."""
    for number, name in enumerate(("first", "second")):
        (tmp_path / name / "cat").mkdir(parents=True)
        (tmp_path / name / "cat" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes([number + 1]))
    return Config.model_validate(
        {
            "workspace": str(tmp_path / "workspace"),
            "data": {"path": str(tmp_path / "own"), "replay": 3},
            "model": {
                "backbone": BACKBONE,
                "image_size": 32,
                "chain": [str(tmp_path / name) for name in ("first", "second")],
            },
            "training": {"learning_rate": 0.001},
        }
    )


def test_each_link_begins_from_the_one_before_and_only_what_changed_is_run_again(
    config: Config, tmp_path: Path
) -> None:
    links = Links()
    after = after_chain(config, links)
    first, second = links.configs
    assert [each.data.path for each in links.configs] == list(config.model.chain)
    assert first.model.weights == "imagenet"
    assert Path(second.model.weights).parent == tmp_path / "workspace" / "chain" / "1"
    assert Path(after.model.weights).parent == tmp_path / "workspace" / "chain" / "2"
    for each in links.configs:
        assert (each.training.strategy, each.tuning.budget) == ("fine_tune", 0)
        assert (each.training.learning_rate, each.data.replay) == (0.001, 0)
        assert each.model.chain == ()
    model = config.model.model_copy(update={"weights": after.model.weights, "chain": ()})
    assert after == config.model_copy(update={"model": model})
    record = read_record(after.model.weights)
    assert record is not None
    assert [each.name for each in record.links] == ["first", "second"]
    assert read_images(after.model.weights).tolist() == [0x0101010101010101, 0x0202020202020202]

    assert after_chain(config, links) == after
    assert len(links.configs) == 2
    (Path(config.model.chain[0]) / "cat" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n\x01")
    assert after_chain(config, links) == after  # the same weights came of it
    assert [each.data.path for each in links.configs[2:]] == [config.model.chain[0]]
    Path(after.model.weights).write_bytes(b"damaged")
    assert after_chain(config, links) == after
    assert [each.data.path for each in links.configs[3:]] == [config.model.chain[1]]


def test_a_link_that_taught_nothing_is_left_out_and_remembered(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    links = Links()
    links.exported = "head"
    for _ in range(2):
        assert after_chain(config, links).model.weights == "imagenet"
        told = capsys.readouterr().err
        assert f"model.chain, 2 of 2, {config.model.chain[1]}: left out, as fine-tuning" in told
    assert len(links.configs) == 2
