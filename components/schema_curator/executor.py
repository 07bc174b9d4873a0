"""Infers the schema into the user's file, or imports that file where there is one."""

import logging
from pathlib import Path
from typing import Any

import tensorflow_data_validation as tfdv
from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from typing_extensions import override

from components.schema_curator.schema import infer_schema, parse_schema, schema_text
from components.schema_curator.state import write_inferred
from models.errors import UsageError

_log = logging.getLogger(__name__)

FILE_NAME = "schema.pbtxt"
"""The only file of a Schema artifact, as TFX names it."""


class Executor(base_executor.BaseExecutor):
    """Writes the Schema artifact."""

    @override
    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component; see `components.schema_curator.component`.

        Raises:
            UsageError: the user's schema file cannot be read, or its folder cannot be written.
        """
        path = Path(exec_properties["schema_path"])
        if not path.exists():
            statistics = artifact_utils.get_single_instance(input_dict["statistics"])
            self._infer(statistics, path, exec_properties["curated"])
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UsageError(
                f"The schema {path} cannot be read ({error.strerror}). "
                "validation.schema_path must name a file, not a folder, that you may read."
            ) from error
        parse_schema(content, str(path))
        uri = artifact_utils.get_single_uri(output_dict["schema"])
        (Path(uri) / FILE_NAME).write_bytes(content)

    def _infer(self, statistics: Artifact, path: Path, token: str) -> None:
        splits = artifact_utils.decode_split_names(statistics.split_names)
        folders = [Path(artifact_utils.get_split_uri([statistics], split)) for split in splits]
        loaded = [tfdv.load_stats_binary(str(folder / "FeatureStats.pb")) for folder in folders]
        try:
            write_inferred(path, schema_text(infer_schema(loaded)), token)
        except OSError as error:
            raise UsageError(
                f"The schema cannot be written to {path} ({error.strerror}). Give a place that "
                "you may write in validation.schema_path."
            ) from error
        _log.info("Inferred the schema into %s.", path)
