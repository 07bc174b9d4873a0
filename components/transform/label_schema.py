"""LabelSchema: the one feature that Transform reads."""

from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.components.base import base_executor
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import artifact_utils, standard_artifacts
from typing_extensions import override

from components.artifact_names import SCHEMA_FILE
from components.artifact_types import Artifacts, Params
from components.typed_component import Output, TypedComponent
from models.data import example_schema


class Executor(base_executor.BaseExecutor):
    """Writes the Schema artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component."""
        label = schema_pb2.Feature(name=example_schema.LABEL, type=schema_pb2.BYTES)
        label.presence.min_fraction = 1.0
        label.shape.dim.add(size=1)
        text = text_format.MessageToString(schema_pb2.Schema(feature=[label]))
        uri = artifact_utils.get_single_uri(output_dict["schema"])
        (Path(uri) / SCHEMA_FILE).write_text(text, encoding="utf-8")


class LabelSchema(TypedComponent):
    """A schema of the label alone, always the same.

    Given the curated schema instead, Transform would run again, and with it the search and the
    training, whenever the user edits an expectation on the data that training never reads.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    schema: Output[standard_artifacts.Schema]
