"""Compares the share of labels that look wrong with the limit."""

from pathlib import Path
from typing import Final

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_types import Artifacts, Params
from components.findings import Finding, write_findings
from components.gate.executor import check_findings
from components.image_validator.validation_settings import ValidationSettings, override as let_pass
from components.label_check.label_errors_file import FoundLabelErrors, read_label_errors
from models.wording import listed

_NAMED: Final = 5
"""Classes that the finding names."""


class Executor(base_executor.BaseExecutor):
    """Writes the Findings artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.label_gate.component`.

        Raises:
            BadDataError: too many labels look wrong, and that is an error.
        """
        folder = artifact_utils.get_single_uri(input_dict["label_errors"])
        settings = ValidationSettings.from_json(exec_properties["settings"])
        findings = check_labels(read_label_errors(Path(folder)), settings)
        write_findings(artifact_utils.get_single_uri(output_dict["findings"]), findings)
        check_findings(findings)


def check_labels(found: FoundLabelErrors, settings: ValidationSettings) -> list[Finding]:
    """A finding where the share of labels that look wrong is above the limit.

    Args:
        found: by LabelCheck.
        settings: the severity and the limit.
    """
    if found.share <= settings.max_label_errors:
        return []
    message = (
        f"{found.suspects:,} of {found.images:,} training and validation images "
        f"({found.share:.1%}) look as if they had the wrong label, more than "
        f"validation.max_label_errors: {settings.max_label_errors:g}. Of classes that look alike, "
        "some are right."
    )
    if found.not_understood:
        named = listed([f'"{label}"' for label in found.not_understood], _NAMED)
        message += (
            f" They are more than half of the images of {named}: such a class is rather not "
            "understood than labelled wrongly, and needs more images before other labels."
        )
    mend = (
        "The report shows them; `graft labels --errors` writes a manifest to correct them in. "
        + let_pass("label_errors")
    )
    suspects = [each.name for each in found.doubtful if each.is_suspect]
    return settings.finding("label_errors", message, suspects, mend)
