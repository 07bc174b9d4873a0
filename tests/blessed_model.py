"""A blessed model in ML Metadata, without a run."""

from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata


def bless_a_model_of(examples: Path, database: Path) -> None:
    """Notes a blessed model that was trained on these Examples."""
    store = mlmd.MetadataStore(metadata.sqlite_metadata_connection_config(str(database)))
    (trained_on,) = store.get_artifacts_by_uri(str(examples))
    numbers: list[int] = []
    for name in ("Model", "ModelBlessing"):
        type_id = store.put_artifact_type(metadata_store_pb2.ArtifactType(name=name))
        made = metadata_store_pb2.Artifact(type_id=type_id, state=trained_on.state)
        if numbers:
            made.custom_properties["blessed"].int_value = 1
            made.custom_properties["current_model_id"].int_value = numbers[0]
            made.custom_properties["export_digest"].string_value = "0f"
        numbers += store.put_artifacts([made])
    type_id = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Trainer"))
    (execution,) = store.put_executions([metadata_store_pb2.Execution(type_id=type_id)])
    event = metadata_store_pb2.Event
    for artifact, kind, key in (
        (trained_on.id, event.INPUT, "examples"),
        (numbers[0], event.OUTPUT, "model"),
    ):
        happened = event(artifact_id=artifact, execution_id=execution, type=kind)
        happened.path.steps.add(key=key)
        happened.path.steps.add(index=0)
        store.put_events([happened])
