"""What an artifact was made from, as ML Metadata knows it."""

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

_Event = metadata_store_pb2.Event


def input_of(
    store: mlmd.MetadataStore, artifact_id: int, key: str
) -> metadata_store_pb2.Artifact | None:
    """What the execution that made an artifact read under a key; None where it read nothing there.

    Args:
        store: of the workspace.
        artifact_id: of what was made.
        key: name of the input.
    """
    events = store.get_events_by_artifact_ids([artifact_id])
    makers = [each.execution_id for each in events if each.type == _Event.OUTPUT]
    read = [
        each.artifact_id
        for each in store.get_events_by_execution_ids(makers)
        if each.type == _Event.INPUT and key in [step.key for step in each.path.steps]
    ]
    return next(iter(store.get_artifacts_by_id(read[:1])), None)
