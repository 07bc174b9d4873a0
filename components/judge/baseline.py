"""A baseline that is not there, as an input that always is."""

from pathlib import Path

from components.artifact_names import SERVING_FOLDER
from components.artifact_types import Artifacts

BASELINE: str = "baseline_model"
"""Key of the input."""


def without_empty_baseline(input_dict: Artifacts) -> Artifacts:
    """The inputs without the baseline, where that holds no model.

    Kubeflow Pipelines hands every input over, so a look-up that found nothing leaves an empty
    folder.

    Args:
        input_dict: of a component; `baseline_model` may be missing.
    """
    found = input_dict.get(BASELINE, [])
    if all((Path(each.uri) / SERVING_FOLDER).is_dir() for each in found):
        return input_dict
    return {key: artifacts for key, artifacts in input_dict.items() if key != BASELINE}
