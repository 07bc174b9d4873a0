"""Makes the reference of a blessed model."""

from pathlib import Path

from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_types import Artifacts, Params
from components.reference.answers import make_reference
from models.observation.monitoring_settings import MonitoringSettings
from models.observation.reference import REFERENCE, write_reference


class Executor(base_executor.BaseExecutor):
    """Writes the MonitoringReference artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.reference.component`."""
        blessing = artifact_utils.get_single_instance(input_dict["model_blessing"])
        directory = Path(artifact_utils.get_single_uri(output_dict["reference"]))
        directory.mkdir(parents=True, exist_ok=True)
        if not model_utils.is_model_blessed(blessing):
            return
        reference = make_reference(
            artifact_utils.get_single_uri(input_dict["model"]),
            artifact_utils.get_single_uri(input_dict["examples"]),
            MonitoringSettings.from_json(exec_properties["settings"]),
            exec_properties.get("answers_dir") or "",
        )
        write_reference(directory / REFERENCE, reference)
