"""LabelSchema: the one feature that Transform reads."""

from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import Artifact, Channel, artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec
from typing_extensions import override

from components.artifact_names import SCHEMA_FILE
from models.data import example_schema


class Executor(base_executor.BaseExecutor):
    """Writes the Schema artifact."""

    @override
    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component."""
        label = schema_pb2.Feature(name=example_schema.LABEL, type=schema_pb2.BYTES)
        label.presence.min_fraction = 1.0
        label.shape.dim.add(size=1)
        text = text_format.MessageToString(schema_pb2.Schema(feature=[label]))
        uri = artifact_utils.get_single_uri(output_dict["schema"])
        (Path(uri) / SCHEMA_FILE).write_text(text, encoding="utf-8")


class LabelSchemaSpec(ComponentSpec):
    """What LabelSchema produces."""

    PARAMETERS: dict[str, Any] = {}
    INPUTS: dict[str, Any] = {}
    OUTPUTS = {"schema": ChannelParameter(type=standard_artifacts.Schema)}


class LabelSchema(base_component.BaseComponent):
    """A schema of the label alone, always the same.

    Given the curated schema instead, Transform would run again, and with it the search and the
    training, whenever the user edits an expectation on the data that training never reads.
    """

    SPEC_CLASS = LabelSchemaSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self) -> None:
        """Builds the node."""
        super().__init__(LabelSchemaSpec(schema=Channel(type=standard_artifacts.Schema)))
