"""TFX's launcher of a node, with seals: what is published gets one, what is cached must keep it."""

import copy
import itertools
import logging
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.orchestration import data_types_utils, metadata
from tfx.orchestration.portable import (
    cache_utils,
    execution_publish_utils,
    launcher,
    merge_utils,
)
from typing_extensions import override

from components.artifact_seals import is_whole, seal

_log = logging.getLogger(__name__)
_Outputs = Mapping[str, Sequence[types.Artifact]]


class SealingLauncher(launcher.Launcher):
    """Runs one node, or takes what an earlier run made of the same inputs, if it is still whole.

    Attributes:
        damaged: directories of the artifacts that an earlier run made, and that are not what they
            were. They are never used again.
    """

    def __init__(self, **kwargs: Any) -> None:
        """Takes the arguments of TFX's launcher."""
        super().__init__(**kwargs)
        self.damaged: list[str] = []
        self._registered: metadata_store_pb2.Execution | None = None

    @override
    def _prepare_execution(self) -> Any:
        try:
            with _cache_look_up(self._whole_outputs):
                return super()._prepare_execution()
        except Exception:
            self._mark_as_failed()
            raise

    @override
    def _register_or_reuse_execution(self, *args: Any, **kwargs: Any) -> Any:
        self._registered = super()._register_or_reuse_execution(*args, **kwargs)
        return self._registered

    def _mark_as_failed(self) -> None:
        """TFX leaves what fails before its executor RUNNING, as if it had been killed."""
        execution = self._registered
        if execution is None or execution.last_known_state != execution.RUNNING:
            return
        execution.last_known_state = execution.FAILED
        with suppress(Exception), self._mlmd_connection as handle:  # the first failure is told
            handle.store.put_executions([execution])

    def _whole_outputs(
        self, metadata_handle: metadata.Metadata, cache_context: metadata_store_pb2.Context
    ) -> _Outputs | None:
        """The outputs of the newest execution whose artifacts are all whole."""
        while True:
            outputs = _tfx_look_up(metadata_handle=metadata_handle, cache_context=cache_context)
            artifacts = [each.mlmd_artifact for each in itertools.chain(*(outputs or {}).values())]
            damaged = [each for each in artifacts if not is_whole(each)]
            if not damaged:
                found: _Outputs | None = outputs
                return found
            for artifact in damaged:
                artifact.state = metadata_store_pb2.Artifact.DELETED
                self.damaged.append(artifact.uri)
                _log.warning("%s is damaged and is made again", artifact.uri)
            metadata_handle.store.put_artifacts(damaged)

    @override
    def _run_executor(self, execution_info: Any) -> Any:
        # Where the metadata store was lost, numbers are given anew, and folders of the time before
        # have the same: what lies in them must not be taken for a part of the new artifact.
        for artifact in itertools.chain(*execution_info.output_dict.values()):
            shutil.rmtree(artifact.uri, ignore_errors=True)
        with _no_arguments():
            return super()._run_executor(execution_info)

    @override
    def _publish_successful_execution(
        self, execution_id: int, contexts: Any, output_dict: Any, executor_output: Any
    ) -> None:
        told = data_types_utils.unpack_executor_output_artifacts(executor_output.output_artifacts)
        outputs = merge_utils.merge_updated_output_artifacts(output_dict, told)
        for artifact in itertools.chain(*outputs.values()):
            seal(artifact.mlmd_artifact)
        rest = copy.deepcopy(executor_output)
        rest.ClearField("output_artifacts")
        with self._mlmd_connection as handle:
            execution_publish_utils.publish_succeeded_execution(
                metadata_handle=handle,
                execution_id=execution_id,
                contexts=contexts,
                output_artifacts=outputs,
                executor_output=rest,
            )


_tfx_look_up = cache_utils.get_cached_outputs


@contextmanager
def _no_arguments() -> Iterator[None]:
    """TFX takes the command line for its own flags, and fails on the `-v FILE` of another program.

    That program may have called `graft.run`.
    """
    whole = sys.argv
    sys.argv = whole[:1]
    try:
        yield
    finally:
        sys.argv = whole


@contextmanager
def _cache_look_up(look_up: Any) -> Iterator[None]:
    """Has TFX look cached outputs up with another function.

    It publishes what it finds at once, and has no hook in between.
    """
    cache_utils.get_cached_outputs = look_up
    try:
        yield
    finally:
        cache_utils.get_cached_outputs = _tfx_look_up
