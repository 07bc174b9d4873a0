"""Which artifacts nothing needs any more."""

from collections.abc import Iterable, Sequence

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from components.blessed_models import BASELINES, blessed_models
from components.lineage import RUN, input_of
from components.past_searches.stored_histories import stored_histories
from pipeline.retention.removal import Removal
from pipeline.workspace import Workspace


def unneeded(
    store: mlmd.MetadataStore, kept_runs: Iterable[str]
) -> list[metadata_store_pb2.Artifact]:
    """The artifacts that no kept run read or wrote, and that no later one learns from.

    Args:
        store: of the workspace.
        kept_runs: names of the runs that stay.

    Returns:
        Those that are live, but for histories of searches and the models that the next one is
        compared with, with the images that they were tested on.
    """
    wanted = set(kept_runs)
    runs = [each for each in store.get_contexts_by_type(RUN) if each.name in wanted]
    executions = {one.id for run in runs for one in store.get_executions_by_context(run.id)}
    events = store.get_events_by_execution_ids(sorted(executions)) if executions else []
    needed = {event.artifact_id for event in events}
    needed |= {each.id for each in stored_histories(store)}
    for model in blessed_models(store)[:BASELINES]:
        examples = input_of(store, model.id, "examples")
        needed |= {model.id} | ({examples.id} if examples else set())
    live = metadata_store_pb2.Artifact.LIVE
    return [each for each in store.get_artifacts() if each.state == live and each.id not in needed]


def forget(store: mlmd.MetadataStore, artifacts: Sequence[metadata_store_pb2.Artifact]) -> None:
    """Notes that artifacts are no more: no later run takes them from the cache."""
    for artifact in artifacts:
        artifact.state = metadata_store_pb2.Artifact.DELETED
    if artifacts:
        store.put_artifacts(artifacts)


def files_of(
    workspace: Workspace,
    store: mlmd.MetadataStore,
    unneeded_artifacts: Sequence[metadata_store_pb2.Artifact],
) -> list[Removal]:
    """What lies below `artifacts` for no artifact that stays.

    Folders of artifacts that ML Metadata does not know, such as those of a run that was killed,
    belong to it, as do TFX's own notes of executions.
    """
    going = {each.id for each in unneeded_artifacts}
    live = metadata_store_pb2.Artifact.LIVE
    stay = {
        workspace.artifact(each.uri)
        for each in store.get_artifacts()
        if each.state == live and each.id not in going
    }
    numbers = {path.name for path in stay}
    folders = workspace.artifacts.glob("*/*/[0-9]*")
    notes = workspace.artifacts.glob("*/.system/*/[0-9]*")
    return [
        *(Removal.of("artifacts", path) for path in sorted(folders) if path not in stay),
        *(Removal.of("artifacts", path) for path in sorted(notes) if path.name not in numbers),
    ]
