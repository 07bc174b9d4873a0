"""Infers the schema into the user's file, or imports that file where there is one."""

import json
import logging
from pathlib import Path

import tensorflow_data_validation as tfdv
from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from typing_extensions import override

from components.artifact_names import INGEST_FILE, SCHEMA_FILE
from components.artifact_types import Artifacts, Params
from components.schema_curator.curated_schema import read_schema_file, write_inferred
from components.schema_curator.inference import infer_schema
from components.schema_curator.schema import parse_schema, schema_text

_log = logging.getLogger(__name__)

PATH_PROPERTY = "path"
"""Custom property of the Schema artifact: the user's file."""


class Executor(base_executor.BaseExecutor):
    """Writes the Schema artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.schema_curator.component`.

        Raises:
            UsageError: the user's schema file cannot be read, or its folder cannot be written.
        """
        path = exec_properties["schema_path"]
        content = read_schema_file(path)
        if content is None:
            classes = _classes(artifact_utils.get_single_uri(input_dict["quarantine"]))
            content = _infer(input_dict["statistics"], classes).encode()
            write_inferred(path, content, exec_properties["curated"])
            _log.info("Inferred the schema into %s.", path)
        parse_schema(content, path)
        schema = artifact_utils.get_single_instance(output_dict["schema"])
        schema.set_string_custom_property(PATH_PROPERTY, path)
        (Path(schema.uri) / SCHEMA_FILE).write_bytes(content)


def _classes(quarantine_uri: str) -> list[str]:
    ingest = json.loads((Path(quarantine_uri) / INGEST_FILE).read_text(encoding="utf-8"))
    return list(ingest["classes"])


def _infer(statistics: list[Artifact], classes: list[str]) -> str:
    artifact = artifact_utils.get_single_instance(statistics)
    splits = artifact_utils.decode_split_names(artifact.split_names)
    folders = [Path(artifact_utils.get_split_uri([artifact], split)) for split in splits]
    loaded = [tfdv.load_stats_binary(str(folder / "FeatureStats.pb")) for folder in folders]
    return schema_text(infer_schema(loaded, classes))
