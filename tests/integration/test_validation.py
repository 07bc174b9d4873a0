"""Statistics, schema, findings, gate and vocabulary as nodes of one pipeline, on digits."""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits
from tfx.components import ExampleValidator, StatisticsGen, Transform
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.types import standard_artifacts

from components.artifact_types import Quarantine
from components.findings import read_findings
from components.gate.component import ValidationGate
from components.image_validator.component import ImageValidator
from components.image_validator.validation_settings import ValidationSettings
from components.schema_curator.component import SchemaCurator
from components.schema_curator.curated_schema import curated_state
from components.statistics import stats_options
from components.transform.label_schema import LabelSchema
from components.transform.vocabulary import labels_from_transform_graph
from models.data import example_schema
from models.data.image_statistics import describe
from models.errors import BadDataError, UsageError
from pipeline.beam.beam_settings import BeamSettings

CLASSES = ("line\nbreak", "comma, quote \"'", " spaces ", "ö 猫", *"456789")


def example(pixels: np.ndarray, label: str, name: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    image = buffer.getvalue()
    figures = describe(pixels)
    texts = {
        example_schema.IMAGE: image,
        example_schema.LABEL: label.encode(),
        example_schema.NAME: name.encode(),
        example_schema.SHA256: hashlib.sha256(image).hexdigest().encode(),
        example_schema.PHASH: figures.phash.encode(),
        example_schema.FORMAT: b"png",
        example_schema.CONVERTED: b"",
    }
    integers = {
        example_schema.WIDTH: 8,
        example_schema.HEIGHT: 8,
        example_schema.CHANNELS: 1,
        example_schema.BYTE_SIZE: len(image),
    }
    floats = {
        example_schema.BRIGHTNESS_MEAN: figures.brightness_mean,
        example_schema.BRIGHTNESS_STD: figures.brightness_std,
        example_schema.SHARPNESS: figures.sharpness,
    }
    values: dict[str, Any] = {
        key: {"bytes_list": {"value": [value]}} for key, value in texts.items()
    }
    values |= {key: {"int64_list": {"value": [value]}} for key, value in integers.items()}
    values |= {key: {"float_list": {"value": [value]}} for key, value in floats.items()}
    feature = {key: tf.train.Feature(**value) for key, value in values.items()}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


class World:
    """A workspace whose examples and quarantine are given."""

    def __init__(self, folder: Path, classes: Sequence[str] = CLASSES) -> None:
        self.folder = folder
        self.schema = folder / "mine" / "schema.pbtxt"
        digits = load_digits()
        for index, split in enumerate(example_schema.SPLITS):
            directory = folder / "examples" / f"Split-{split}"
            directory.mkdir(parents=True)
            with tf.io.TFRecordWriter(str(directory / "data-00000-of-00001")) as writer:
                for row in range(index, len(digits.images), 3):
                    pixels = (digits.images[row] * 15).astype(np.uint8)
                    writer.write(example(pixels, classes[digits.target[row]], f"{row}.png"))
        (folder / "quarantine").mkdir()
        (folder / "quarantine" / "quarantine.jsonl").write_text("")
        counts = json.dumps(
            {
                "images": len(digits.images),
                "quarantined": 0,
                "lost_classes": [],
                "classes": dict.fromkeys(classes, 1),
            }
        )
        (folder / "quarantine" / "ingest.json").write_text(counts)

    def run(self, to_the_end: bool = True) -> dict[str, str]:
        """Runs the nodes, and says what became of each execution that this run made.

        Without `to_the_end` the gate is the last one.
        """
        before = set(self.executions())
        dag = pipeline.Pipeline(
            "validation",
            str(self.folder / "artifacts"),
            components=self._nodes(to_the_end),
            enable_cache=True,
            metadata_connection_config=metadata.sqlite_metadata_connection_config(self._store),
            beam_pipeline_args=BeamSettings().arguments,
        )
        LocalDagRunner().run(dag)
        executions = self.executions()
        return dict(executions[key] for key in sorted(set(executions) - before))

    def executions(self) -> dict[int, tuple[str, str]]:
        """Execution id to the node's name and the state of the execution."""
        if not Path(self._store).exists():
            return {}
        config = metadata.sqlite_metadata_connection_config(self._store)
        store = mlmd.MetadataStore(config)
        names = {kind.id: kind.name.rpartition(".")[2] for kind in store.get_execution_types()}
        states = mlmd.proto.Execution.State
        return {
            execution.id: (names[execution.type_id], states.Name(execution.last_known_state))
            for execution in store.get_executions()
        }

    def outputs(self, node: str, key: str) -> list[str]:
        """Where a node's artifacts are, the latest last."""
        folder = self.folder / "artifacts" / node / key
        return [str(path) for path in sorted(folder.iterdir(), key=lambda path: int(path.name))]

    @property
    def _store(self) -> str:
        return str(self.folder / "metadata.sqlite")

    def _nodes(self, to_the_end: bool) -> list:
        examples = Importer(
            source_uri=str(self.folder / "examples"),
            artifact_type=standard_artifacts.Examples,
            properties={"split_names": json.dumps(list(example_schema.SPLITS))},
        ).with_id("examples")
        quarantine = Importer(
            source_uri=str(self.folder / "quarantine"), artifact_type=Quarantine
        ).with_id("quarantine")
        given = examples.outputs["result"]
        statistics = StatisticsGen(examples=given, stats_options=stats_options())
        curator = SchemaCurator(
            statistics=statistics.outputs["statistics"],
            quarantine=quarantine.outputs["result"],
            schema_path=str(self.schema),
            curated=curated_state(self.schema),
            code="",
        )
        anomalies = ExampleValidator(
            statistics=statistics.outputs["statistics"], schema=curator.outputs["schema"]
        )
        validator = ImageValidator(
            examples=given,
            quarantine=quarantine.outputs["result"],
            anomalies=anomalies.outputs["anomalies"],
            schema=curator.outputs["schema"],
            settings=ValidationSettings().to_json(),
            further_labels="[]",
            memory_dir=str(self.folder / "classes"),
            forgotten="",
            code="",
        )
        gate = ValidationGate(findings=validator.outputs["findings"])
        nodes = [examples, quarantine, statistics, curator, anomalies, validator, gate]
        if not to_the_end:
            return nodes
        label_schema = LabelSchema()
        transform = Transform(
            examples=given,
            schema=label_schema.outputs["schema"],
            preprocessing_fn="components.transform.preprocessing.preprocessing_fn",
            materialize=False,
            disable_statistics=True,
            disable_analyzer_cache=True,
        )
        transform.add_upstream_node(gate)
        return [*nodes, label_schema, transform]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """After a first run."""
    world = World(tmp_path_factory.mktemp("validation"))
    world.run()
    return world


@pytest.fixture
def unedited(world: World) -> Iterator[str]:
    """The inferred schema, put back after the test."""
    text = world.schema.read_text(encoding="utf-8")
    yield text
    world.schema.write_text(text, encoding="utf-8")


def test_real_digits_pass_the_default_gate(world: World) -> None:
    findings = read_findings(world.outputs("ImageValidator", "findings")[0])
    assert [
        finding for finding in findings if finding.check != "near_duplicate_across_splits"
    ] == []
    assert sum(finding.count for finding in findings) <= 8  # of 1,797


def test_labels_of_any_characters_survive_in_sorted_order(world: World) -> None:
    (uri,) = world.outputs("Transform", "transform_graph")
    assert labels_from_transform_graph(uri) == tuple(sorted(CLASSES, key=str.encode))


def test_a_second_run_is_cached_although_the_schema_file_now_exists(world: World) -> None:
    states = world.run()
    assert states.pop("Importer", "CACHED") in ("CACHED", "COMPLETE")
    assert set(states.values()) == {"CACHED"}
    assert {"SchemaCurator", "ImageValidator", "Transform"} <= set(states)


def test_an_edited_schema_reruns_the_checks_and_not_the_transform(world, unedited) -> None:
    text = unedited.replace('name: "sharpness"', 'name: "sharpness"\n  float_domain { min: 9e9 }')
    world.schema.write_text(text, encoding="utf-8")
    states = world.run()
    assert states["SchemaCurator"] == states["ImageValidator"] == "COMPLETE"
    assert states["StatisticsGen"] == states["Transform"] == "CACHED"
    assert world.schema.read_text(encoding="utf-8") == text
    findings = read_findings(world.outputs("ImageValidator", "findings")[-1])
    assert [one.check for one in findings].count("schema_anomaly") == len(example_schema.SPLITS)
    assert 'feature "sharpness"' in findings[-1].message


def test_a_class_outside_the_schema_stops_the_run_and_names_its_images(world, unedited) -> None:
    world.schema.write_text(unedited.replace('  value: "7"\n', ""), encoding="utf-8")
    with pytest.raises(BadDataError) as raised:
        world.run()
    assert 'unseen_class: class "7" is new, with 179 images' in str(raised.value)
    assert "`graft schema accept`" in str(raised.value)
    assert f"the schema file {world.schema}" in str(raised.value)
    assert ".png" in str(raised.value)
    assert "... and 159 more" in str(raised.value)


def test_a_malformed_schema_is_told_with_its_line(world, unedited) -> None:
    world.schema.write_text("feature {\n  nome: 1\n}\n")
    with pytest.raises(UsageError, match="line 2"):
        world.run()


def test_classes_that_look_like_numbers_have_the_same_gate(tmp_path: Path) -> None:
    world = World(tmp_path, [str(number) for number in range(10)])
    world.schema.parent.mkdir()
    of_an_earlier_version = 'feature { name: "label" type: BYTES int_domain {} }'
    world.schema.write_text(of_an_earlier_version)
    with pytest.raises(BadDataError, match=f"{world.schema} does not say which classes are known"):
        world.run(to_the_end=False)
    world.schema.unlink()
    world.run(to_the_end=False)
    inferred = world.schema.read_text(encoding="utf-8")
    world.schema.write_text(inferred.replace('  value: "7"\n', '  value: "seven"\n'))
    with pytest.raises(BadDataError) as raised:
        world.run(to_the_end=False)
    assert 'class "7" is new, with 179 images; "7" is not among the 10' in str(raised.value)
    findings = read_findings(world.outputs("ImageValidator", "findings")[-1])
    assert any('class "seven" has no image any more' in one.message for one in findings)
