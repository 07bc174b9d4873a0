"""Puts a workspace right before a run: ML Metadata must say what is really there.

A kill leaves its node's execution RUNNING for ever in ML Metadata, and half-written files in the
output folder that only this execution would have published. A pushed version may have been
deleted, damaged, or overtaken by another since it was recorded. And the workspace may have been
moved. What this run made of its own inputs is checked when it is asked for (`pipeline.launcher`);
what it may learn from or be compared with beside them is checked here.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts

from components.artifact_names import PUSHED_DIGEST
from components.artifact_seals import is_whole
from components.artifact_types import BackboneChoice
from components.blessed_models import BASELINES, blessed_models
from components.lineage import text_of
from components.past_searches.stored_histories import stored_histories
from components.pusher.executor import DESTINATION
from components.pusher.push import pushed_versions
from models.storage.plain_path import plain_path
from models.storage.seals import tree_digest
from pipeline.metadata_place import FAILURES, open_store, place_of
from pipeline.workspace import Workspace

_State = metadata_store_pb2.Execution.State


@dataclass(frozen=True)
class Recovered:
    """What was put right.

    Attributes:
        interrupted: names of the stages in which earlier runs were stopped.
        damaged: what is not as it was written, a sentence each.
    """

    interrupted: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


def recover(workspace: Workspace) -> Recovered:
    """Marks interrupted executions as failed, and takes what is damaged or half written away.

    Call only while the workspace is held: with no other run alive, an execution that is still
    RUNNING belongs to a dead one.

    Raises:
        GraftError: the metadata store is not readable.
    """
    place = place_of(workspace)
    place.check()
    try:
        place.begin_writing()
        if not place.is_there:
            return Recovered()
        store = open_store(workspace, writes=True)
        interrupted = _interrupted(store)
        for execution in interrupted:
            _remove_outputs(workspace.artifacts, execution.id)
            execution.last_known_state = _State.FAILED
        if interrupted:
            store.put_executions(interrupted)
        _follow_the_workspace(store, workspace)
        damaged = [
            *_forget_stale_pushes(store),
            *_forget_damaged(store, stored_histories(store), "The history of an earlier search"),
            *_forget_damaged(store, blessed_models(store), "An earlier model", enough=BASELINES),
            *_forget_damaged(store, _choices(store), "An earlier choice of a backbone"),
        ]
        return Recovered(tuple(_node(store, each.id) for each in interrupted), tuple(damaged))
    except FAILURES as error:
        raise place.unreadable(error) from None


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


def _interrupted(store: mlmd.MetadataStore) -> list[metadata_store_pb2.Execution]:
    return [
        execution
        for execution in store.get_executions()
        if execution.last_known_state in (_State.NEW, _State.RUNNING)
    ]


def _forget_stale_pushes(store: mlmd.MetadataStore) -> Iterator[str]:
    """Takes pushes out of TFX's cache that are not the newest version there, or damaged."""
    for artifact in store.get_artifacts_by_type(standard_artifacts.PushedModel.TYPE_NAME):
        destination = text_of(artifact, DESTINATION)
        if artifact.state != metadata_store_pb2.Artifact.LIVE or not destination:
            continue
        version = Path(destination)
        newest = _is_newest(version)
        if newest and _is_as_pushed(version, text_of(artifact, PUSHED_DIGEST)):
            continue
        _forget(store, artifact)
        if newest:
            yield f"The served version {version} is damaged: it is not what was pushed."


def _is_as_pushed(version: Path, digest: str) -> bool:
    try:
        # What an earlier Graft pushed has no digest.
        return not digest or tree_digest(version) == digest
    except OSError:
        return False


def _choices(store: mlmd.MetadataStore) -> list[metadata_store_pb2.Artifact]:
    """The backbones that searches chose; a later search that chooses the same uses the first."""
    live = metadata_store_pb2.Artifact.LIVE
    found = store.get_artifacts_by_type(BackboneChoice.TYPE_NAME)
    return [each for each in found if each.state == live]


def _forget_damaged(
    store: mlmd.MetadataStore,
    artifacts: Iterable[metadata_store_pb2.Artifact],
    what: str,
    enough: int | None = None,
) -> Iterator[str]:
    """Takes damaged artifacts out of use, until `enough` were whole."""
    whole = 0
    for artifact in artifacts:
        if is_whole(artifact):
            whole += 1
        else:
            _forget(store, artifact)
            yield f"{what} is damaged and is no longer used: {artifact.uri}."
        if whole == enough:
            return


def _forget(store: mlmd.MetadataStore, artifact: metadata_store_pb2.Artifact) -> None:
    """Takes an artifact out of TFX's cache and out of every look-up."""
    artifact.state = metadata_store_pb2.Artifact.DELETED
    store.put_artifacts([artifact])


def _is_newest(version: Path) -> bool:
    return version.is_dir() and int(version.name) == max(pushed_versions(version.parent))


def _remove_outputs(artifacts: Path, execution_id: int) -> None:
    # TFX's layout: <node>/<output key>/<execution id>, and below <node>/.system/<what>/.
    for pattern in (f"*/*/{execution_id}", f"*/.system/*/{execution_id}"):
        for folder in artifacts.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)


def _node(store: mlmd.MetadataStore, execution_id: int) -> str:
    contexts = store.get_contexts_by_execution(execution_id)
    names = [context.name for context in contexts if "." in context.name]
    return names[0].split(".", 1)[1] if names else f"execution {execution_id}"
