"""Puts a workspace right before a run: ML Metadata must say what is really there.

A kill leaves its node's execution RUNNING for ever in ML Metadata, and half-written files in the
output folder that only this execution would have published. A pushed version may have been
deleted, or overtaken by another, since it was recorded. And the workspace may have been moved.
"""

import shutil
import sqlite3
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.types import standard_artifacts

from models.errors import GraftError
from models.plain_path import plain_path
from pipeline.workspace import Workspace

_State = metadata_store_pb2.Execution.State


def recover(workspace: Workspace) -> list[str]:
    """Marks interrupted executions as failed and removes what they had half written.

    Call only while the workspace is held: with no other run alive, an execution that is still
    RUNNING belongs to a dead one.

    Returns:
        The names of the interrupted stages.

    Raises:
        GraftError: the metadata store is not readable.
    """
    if not workspace.metadata.is_file():
        return []
    config = metadata.sqlite_metadata_connection_config(str(workspace.metadata))
    try:
        store = mlmd.MetadataStore(config)
        interrupted = [
            execution
            for execution in store.get_executions()
            if execution.last_known_state in (_State.NEW, _State.RUNNING)
        ]
    except (mlmd.errors.StatusError, sqlite3.Error) as error:
        raise GraftError(
            f"The metadata store {workspace.metadata} cannot be read: {error}. Move it away to "
            "start afresh (images are read again; the pushed models stay)."
        ) from None
    for execution in interrupted:
        _remove_outputs(workspace.artifacts, execution.id)
        execution.last_known_state = _State.FAILED
    if interrupted:
        store.put_executions(interrupted)
    _follow_the_workspace(store, workspace)
    _forget_stale_pushes(store)
    return [_node(store, execution.id) for execution in interrupted]


def _follow_the_workspace(store: mlmd.MetadataStore, workspace: Workspace) -> None:
    """Records where artifacts lie now, by the way that TFX takes to them."""
    artifacts = plain_path(workspace.artifacts)
    moved = []
    for artifact in store.get_artifacts():
        uri = str(workspace.artifact(artifact.uri, artifacts))
        if uri != artifact.uri:
            artifact.uri = uri
            moved.append(artifact)
    if moved:
        store.put_artifacts(moved)


def _forget_stale_pushes(store: mlmd.MetadataStore) -> None:
    """Takes pushes that are not the newest version of their directory out of TFX's cache."""
    live = metadata_store_pb2.Artifact.LIVE
    stale = []
    for artifact in store.get_artifacts_by_type(standard_artifacts.PushedModel.TYPE_NAME):
        path = artifact.custom_properties["pushed_destination"].string_value
        if path and artifact.state == live and not _is_newest(Path(path)):
            artifact.state = metadata_store_pb2.Artifact.DELETED
            stale.append(artifact)
    if stale:
        store.put_artifacts(stale)


def _is_newest(version: Path) -> bool:
    siblings = [int(path.name) for path in version.parent.glob("*") if path.name.isdecimal()]
    return version.is_dir() and int(version.name) == max(siblings)


def _remove_outputs(artifacts: Path, execution_id: int) -> None:
    # TFX's layout: <node>/<output key>/<execution id>, and below <node>/.system/<what>/.
    for pattern in (f"*/*/{execution_id}", f"*/.system/*/{execution_id}"):
        for folder in artifacts.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)


def _node(store: mlmd.MetadataStore, execution_id: int) -> str:
    contexts = store.get_contexts_by_execution(execution_id)
    names = [context.name for context in contexts if "." in context.name]
    return names[0].split(".", 1)[1] if names else f"execution {execution_id}"
