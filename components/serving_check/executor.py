"""Runs the serving check and writes the InfraBlessing."""

from pathlib import Path

from tfx.components.infra_validator import executor as infra_validator
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from typing_extensions import override

from components.artifact_seals import EXPORT_DIGEST
from components.artifact_types import Artifacts, Params
from components.serving_check.check import ServingReport, check_serving
from components.serving_check.serving_settings import ServingSettings


class Executor(base_executor.BaseExecutor):
    """Writes the InfraBlessing artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.serving_check.component`."""
        settings = ServingSettings.from_json(exec_properties["settings"])
        model_blessing = artifact_utils.get_single_instance(input_dict["model_blessing"])
        infra_blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        directory = Path(infra_blessing.uri)
        directory.mkdir(parents=True, exist_ok=True)
        if model_utils.is_model_blessed(model_blessing):
            report = check_serving(
                artifact_utils.get_single_uri(input_dict["model"]),
                artifact_utils.get_single_uri(input_dict["examples"]),
                settings,
                log=directory / "server.log",
            )
        else:
            report = ServingReport(passed=False, reason="Skipped: the model was not blessed.")
        report.write(directory)
        _bless(infra_blessing, report)


def _bless(artifact: Artifact, report: ServingReport) -> None:
    """Leaves the file and the property that TFX's InfraValidator leaves, and what was proved."""
    passed = report.passed
    name = infra_validator._BLESSED_FILENAME if passed else infra_validator._NOT_BLESSED_FILENAME
    (Path(artifact.uri) / name).touch()
    artifact.set_int_custom_property("blessed", int(passed))
    artifact.set_string_custom_property(EXPORT_DIGEST, report.export_digest)
