"""The histories in a metadata store, found without importing TFX, which takes seconds."""

from typing import Final

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from models.storage.locations import join

TYPE_NAME: Final = "GraftTuningHistory"
"""Name of the artifact type `components.artifact_types.TuningHistory` in ML Metadata."""

HISTORY_FILE: Final = "history.jsonl"
"""Name of the history in such an artifact."""

BEST_FILE: Final = "best_hyperparameters.txt"
"""Where TFX's Trainer looks for the values."""

EMPTY: Final = "empty"
"""Custom property, 1 on an artifact without a history, as nothing was searched."""


def stored_histories(store: mlmd.MetadataStore) -> list[metadata_store_pb2.Artifact]:
    """The histories of all pipelines that are whole, oldest first."""
    live = metadata_store_pb2.Artifact.LIVE
    found = [
        each
        for each in store.get_artifacts_by_type(TYPE_NAME)
        if each.state == live and EMPTY not in each.custom_properties
    ]
    return sorted(found, key=lambda each: each.id)


def history_file(uri: str) -> str:
    """The place of the history in a TuningHistory artifact.

    Args:
        uri: of the artifact.
    """
    return join(uri, HISTORY_FILE)
