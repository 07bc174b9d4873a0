"""Copies the history."""

import logging

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_types import Artifacts, Params
from components.past_searches.stored_histories import EMPTY, history_file
from models.errors import GraftError
from models.history.share import share_history

_log = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Writes no artifact, but a file in the folder."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.history_keeper.component`."""
        history = artifact_utils.get_single_instance(input_dict["history"])
        if history.has_custom_property(EMPTY):
            return
        try:
            share_history(history_file(history.uri), exec_properties["folder"])
        except GraftError:
            # A failed task would stop the push of a model that is there.
            _log.exception("the history was not kept: later searches will not learn from it")
