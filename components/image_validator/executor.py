"""Runs every check over the derived features; decodes no image."""

import json
from pathlib import Path

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from typing_extensions import override

from components.artifact_names import INGEST_FILE
from components.artifact_types import Artifacts, Params
from components.class_changes import ClassChange, class_changes
from components.findings import write_class_changes, write_findings, write_further_labels
from components.image_register import REGISTER_FILE, ImageRegister, read_register
from components.image_validator.anomalies import check_anomalies
from components.image_validator.appearance_checks import check_appearance
from components.image_validator.class_checks import KnownClasses, check_classes
from components.image_validator.class_name_checks import check_class_names
from components.image_validator.drift_checks import check_spans, check_splits
from components.image_validator.duplicate_checks import check_duplicates
from components.image_validator.further_label_checks import check_further_labels, counts
from components.image_validator.group_checks import check_groups
from components.image_validator.quarantine_check import check_quarantine
from components.image_validator.table import ImageTable, read_table
from components.image_validator.unlabelled_class_check import check_unlabelled_classes
from components.image_validator.validation_settings import ValidationSettings
from components.schema_curator.executor import PATH_PROPERTY
from components.schema_curator.schema import read_known_labels

_ANOMALIES_FILE = "SchemaDiff.pb"
"""As ExampleValidator names it, in each split's folder."""


class Executor(base_executor.BaseExecutor):
    """Writes the Findings artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.image_validator.component`."""
        settings = ValidationSettings.from_json(exec_properties["settings"])
        further = json.loads(exec_properties["further_labels"])
        table = read_table(artifact_utils.get_single_uri(input_dict["examples"]), further)
        quarantine = artifact_utils.get_single_uri(input_dict["quarantine"])
        ingest = json.loads((Path(quarantine) / INGEST_FILE).read_text(encoding="utf-8"))
        anomalies = _read_anomalies(input_dict["anomalies"])
        schema = _read_schema(artifact_utils.get_single_instance(input_dict["schema"]))
        changes = _changes(table, schema.labels, Path(exec_properties["memory_dir"]))
        findings = [
            *check_quarantine(quarantine, settings),
            *check_classes(
                table, schema, changes, settings, has_replayed=bool(ingest.get("replayed"))
            ),
            *check_class_names(table, settings),
            *check_unlabelled_classes(table, settings),
            *check_further_labels(table, settings),
            *check_duplicates(table, settings),
            *check_groups(table, settings),
            *check_appearance(table, settings),
            *check_spans(table, ingest.get("spans", []), settings),
            *check_splits(table, ingest.get("split_source") == "user", settings),
            *check_anomalies(anomalies, schema.path, settings),
        ]
        directory = artifact_utils.get_single_uri(output_dict["findings"])
        write_class_changes(Path(directory), changes, table.counts)
        write_findings(directory, findings)
        if further:
            write_further_labels(directory, counts(table))


def _changes(
    table: ImageTable, known: frozenset[str] | None, memory: Path
) -> tuple[ClassChange, ...]:
    """How the classes differ from those of the schema; remembers the images where they do not."""
    rows = zip(table.sha256.tolist(), table.split.tolist(), table.label.tolist(), strict=True)
    register = ImageRegister.of(rows)
    # A schema without a label domain knows no class, and says nothing of a change.
    labels = set(table.counts) if known is None else known
    changes = class_changes(labels, table.counts, read_register(memory), register.by_class())
    if not changes and known is not None:
        register.save(memory / REGISTER_FILE)
    return changes


def _read_schema(artifact: Artifact) -> KnownClasses:
    # The path travels with the schema: as a parameter it would rerun the checks when it changes.
    path = artifact.get_string_custom_property(PATH_PROPERTY)
    return KnownClasses(read_known_labels(artifact.uri), path)


def _read_anomalies(artifacts: list[Artifact]) -> dict[str, anomalies_pb2.Anomalies]:
    artifact = artifact_utils.get_single_instance(artifacts)
    splits = artifact_utils.decode_split_names(artifact.split_names)
    return {
        split: anomalies_pb2.Anomalies.FromString(
            (Path(artifact_utils.get_split_uri([artifact], split)) / _ANOMALIES_FILE).read_bytes()
        )
        for split in splits
    }
