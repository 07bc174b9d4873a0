"""Runs every check over the derived features; decodes no image."""

from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from typing_extensions import override

from components.artifact_names import SCHEMA_FILE
from components.artifact_types import Artifacts, Params
from components.findings import write_findings
from components.image_validator.anomalies import check_anomalies
from components.image_validator.appearance_checks import check_appearance
from components.image_validator.class_checks import KnownClasses, check_classes
from components.image_validator.duplicate_checks import check_duplicates
from components.image_validator.group_checks import check_groups
from components.image_validator.quarantine_check import check_quarantine
from components.image_validator.table import read_table
from components.image_validator.validation_settings import ValidationSettings
from components.schema_curator.executor import PATH_PROPERTY
from components.schema_curator.schema import known_labels

_ANOMALIES_FILE = "SchemaDiff.pb"
"""As ExampleValidator names it, in each split's folder."""


class Executor(base_executor.BaseExecutor):
    """Writes the Findings artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.image_validator.component`."""
        settings = ValidationSettings.from_json(exec_properties["settings"])
        table = read_table(artifact_utils.get_single_uri(input_dict["examples"]))
        quarantine = artifact_utils.get_single_uri(input_dict["quarantine"])
        anomalies = _read_anomalies(input_dict["anomalies"])
        schema = _read_schema(artifact_utils.get_single_instance(input_dict["schema"]))
        findings = [
            *check_quarantine(quarantine, settings),
            *check_classes(table, schema, settings),
            *check_duplicates(table, settings),
            *check_groups(table, settings),
            *check_appearance(table, settings),
            *check_anomalies(anomalies, schema.path, settings),
        ]
        write_findings(artifact_utils.get_single_uri(output_dict["findings"]), findings)


def _read_schema(artifact: Artifact) -> KnownClasses:
    text = (Path(artifact.uri) / SCHEMA_FILE).read_text(encoding="utf-8")
    schema = text_format.Parse(text, schema_pb2.Schema())
    # The path travels with the schema: as a parameter it would rerun the checks when it changes.
    return KnownClasses(known_labels(schema), artifact.get_string_custom_property(PATH_PROPERTY))


def _read_anomalies(artifacts: list[Artifact]) -> dict[str, anomalies_pb2.Anomalies]:
    artifact = artifact_utils.get_single_instance(artifacts)
    splits = artifact_utils.decode_split_names(artifact.split_names)
    return {
        split: anomalies_pb2.Anomalies.FromString(
            (Path(artifact_utils.get_split_uri([artifact], split)) / _ANOMALIES_FILE).read_bytes()
        )
        for split in splits
    }
