"""Copies the newest pushed version."""

import shutil
from pathlib import Path

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_names import SERVING_FOLDER
from components.artifact_types import Artifacts, Params
from components.pusher.push import pushed_versions
from models.storage.folders import copy_folder


class Executor(base_executor.BaseExecutor):
    """Writes the Model artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.pushed_baseline.component`.

        Raises:
            OSError: the version cannot be copied.
        """
        model = Path(artifact_utils.get_single_uri(output_dict["model"]))
        model.mkdir(parents=True, exist_ok=True)
        if pushed := pushed_versions(Path(exec_properties["directory"])):
            # Modes and times mean nothing, and a mounted bucket may not take them.
            copy_folder(pushed[max(pushed)], model / SERVING_FOLDER, shutil.copyfile)
