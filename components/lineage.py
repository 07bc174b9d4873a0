"""What an artifact was made from, as ML Metadata knows it."""

from typing import Final

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

_Event = metadata_store_pb2.Event
RUN: Final = "pipeline_run"
"""TFX's type of the context of a run, whose name is that of the run's folder."""


def input_of(
    store: mlmd.MetadataStore, artifact_id: int, key: str
) -> metadata_store_pb2.Artifact | None:
    """What the execution that made an artifact read under a key; None where it read nothing there.

    Args:
        store: of the workspace.
        artifact_id: of what was made.
        key: name of the input.
    """
    makers = _makers(store, artifact_id)
    read = [
        each.artifact_id
        for each in store.get_events_by_execution_ids(makers)
        if each.type == _Event.INPUT and key in [step.key for step in each.path.steps]
    ]
    return next(iter(store.get_artifacts_by_id(read[:1])), None)


def run_of(store: mlmd.MetadataStore, artifact_id: int) -> str:
    """The run that made an artifact, not one that took it from the cache; empty where none did.

    Args:
        store: of the workspace.
        artifact_id: of what was made.
    """
    makers = _makers(store, artifact_id)
    contexts = store.get_contexts_by_execution(min(makers)) if makers else []
    return next((str(each.name) for each in contexts if each.type == RUN), "")


def text_of(artifact: metadata_store_pb2.Artifact, key: str) -> str:
    """A custom property of an artifact; empty where it has none of that name."""
    # To ask for a key that is not there would add it.
    properties = artifact.custom_properties
    return str(properties[key].string_value) if key in properties else ""


def _makers(store: mlmd.MetadataStore, artifact_id: int) -> list[int]:
    events = store.get_events_by_artifact_ids([artifact_id])
    return [each.execution_id for each in events if each.type == _Event.OUTPUT]
