"""Publishes the version that was pushed."""

import json
from pathlib import Path

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_names import PUSH_FILE
from components.artifact_types import Artifacts, Params
from components.publisher.publish import publish


class Executor(base_executor.BaseExecutor):
    """Writes no artifact, but a version in a bucket."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.publisher.component`.

        Raises:
            GraftError: the version is damaged, or the bucket does not take it.
        """
        folder = Path(artifact_utils.get_single_uri(input_dict["pushed_model"]))
        push = json.loads((folder / PUSH_FILE).read_text("utf-8"))
        if push["pushed"]:
            publish(Path(push["destination"]), exec_properties["target"])
