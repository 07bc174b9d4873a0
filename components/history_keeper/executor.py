"""Copies the history."""

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_types import Artifacts, Params
from components.past_searches.stored_histories import EMPTY, history_file
from models.history.share import share_history


class Executor(base_executor.BaseExecutor):
    """Writes no artifact, but a file in the folder."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.history_keeper.component`.

        Raises:
            GraftError: the history cannot be read or written.
        """
        history = artifact_utils.get_single_instance(input_dict["history"])
        if not history.has_custom_property(EMPTY):
            share_history(history_file(history.uri), exec_properties["folder"])
