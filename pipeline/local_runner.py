"""Runs a compiled TFX pipeline in this process, node by node, and tells how it goes.

TFX's LocalDagRunner does the same but is silent, and passes over a node whose inputs could not be
resolved. This one tells a listener when a stage starts and ends, whether it came from the cache,
and stops at the first that fails.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata, pipeline as tfx_pipeline
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.proto.orchestration import local_deployment_config_pb2, pipeline_pb2
from typing_extensions import override

from models.errors import GraftError
from pipeline.launcher import SealingLauncher
from pipeline.metadata_address import open_connection

_State = metadata_store_pb2.Execution.State


class _Records(metadata.Metadata):
    """TFX's handle of ML Metadata, which opens what Graft opens."""

    @override
    def __enter__(self) -> "_Records":
        try:
            self._store = open_connection(self._connection_config)
        except RuntimeError as error:
            # What ML Metadata raises here is no error of its own kind.
            raise mlmd.errors.UnavailableError(str(error)) from error
        self._users += 1
        return self


@dataclass(frozen=True)
class StageResult:
    """How one node of the pipeline ended.

    Attributes:
        name: the node's id.
        seconds: wall time.
        cached: an earlier run's outputs were taken.
        outputs: output key to the URI of its artifact.
        properties: output key to the custom properties of its artifact.
        damaged: directories of an earlier run's artifacts that were damaged, so that the node ran
            again.
    """

    name: str
    seconds: float
    cached: bool
    outputs: dict[str, str] = field(default_factory=dict)
    properties: dict[str, dict[str, str | int | float]] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()


class StageFailedError(GraftError):
    """A node failed for a reason that no component foresaw."""


StageStarted = Callable[[str], None]


def run_pipeline(
    pipeline: tfx_pipeline.Pipeline, run_id: str, started: StageStarted, until: str = ""
) -> Iterator[StageResult]:
    """Runs the nodes in topological order.

    Args:
        pipeline: the pipeline to compile and run.
        run_id: identifies the run in ML Metadata.
        started: called with a node's id before it runs.
        until: id of the last node to run; no other runs but those that it needs. Empty for all.

    Yields:
        The result of each node as it ends.

    Raises:
        StageFailedError: a node's inputs were missing.
        Exception: whatever a component's executor raised.
    """
    ir: pipeline_pb2.Pipeline = compiler.Compiler().compile(pipeline)
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    deployment = runner_utils.extract_local_deployment_config(ir)
    chosen = deployment.metadata_connection_config
    connection = getattr(chosen, chosen.WhichOneof("connection_config"))
    for node in _needed(ir, until):
        started(node.node_info.id)
        yield _run_node(node, ir, deployment, _Records(connection))


def _needed(ir: pipeline_pb2.Pipeline, until: str) -> list[pipeline_pb2.PipelineNode]:
    nodes = [node.pipeline_node for node in ir.nodes]
    if not until:
        return nodes
    needed = {until}
    for node in reversed(nodes):
        if node.node_info.id in needed:
            needed.update(node.upstream_nodes)
    return [node for node in nodes if node.node_info.id in needed]


def _run_node(
    node: pipeline_pb2.PipelineNode,
    ir: pipeline_pb2.Pipeline,
    deployment: local_deployment_config_pb2.LocalDeploymentConfig,
    store: metadata.Metadata,
) -> StageResult:
    name = node.node_info.id
    begin = time.monotonic()
    launcher = SealingLauncher(
        pipeline_node=node,
        mlmd_connection=store,
        pipeline_info=ir.pipeline_info,
        pipeline_runtime_spec=ir.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, name),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, name),
    )
    info = launcher.launch()
    if info is None or info.execution_id is None:
        raise StageFailedError(f"{name} was not run: an input of it is missing.")
    with store as handle:
        (execution,) = handle.store.get_executions_by_id([info.execution_id])
        if execution.last_known_state not in (_State.COMPLETE, _State.CACHED):
            raise StageFailedError(f"{name} was not run: its inputs could not be resolved.")
        outputs = execution_lib.get_output_artifacts(handle, info.execution_id)
    first = {key: artifacts[0] for key, artifacts in outputs.items() if artifacts}
    return StageResult(
        name=name,
        seconds=time.monotonic() - begin,
        cached=execution.last_known_state == _State.CACHED,
        outputs={key: artifact.uri for key, artifact in first.items()},
        properties={key: _properties(artifact) for key, artifact in first.items()},
        damaged=tuple(launcher.damaged),
    )


def _properties(artifact: types.Artifact) -> dict[str, str | int | float]:
    proto = artifact.mlmd_artifact
    return {
        key: getattr(value, value.WhichOneof("value"))
        for key, value in proto.custom_properties.items()
        if value.WhichOneof("value") in ("int_value", "double_value", "string_value")
    }
