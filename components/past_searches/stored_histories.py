"""The histories in a metadata store, found without importing TFX, which takes seconds."""

from typing import Final

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from components.artifact_names import FORMER_TYPES, HISTORY_FILE, TUNING_HISTORY
from models.storage.locations import join

EMPTY: Final = "empty"
"""Custom property, 1 on an artifact without a history, as nothing was searched."""


def stored_histories(store: mlmd.MetadataStore) -> list[metadata_store_pb2.Artifact]:
    """The histories of all pipelines that are whole, oldest first.

    Those of an earlier Graft too: a store that no run has opened since has their type's old name.
    """
    live = metadata_store_pb2.Artifact.LIVE
    former = [old for old, new in FORMER_TYPES.items() if new == TUNING_HISTORY]
    found = [
        each
        for name in (*former, TUNING_HISTORY)
        for each in store.get_artifacts_by_type(name)
        if each.state == live and EMPTY not in each.custom_properties
    ]
    return sorted(found, key=lambda each: each.id)


def history_file(uri: str) -> str:
    """The place of the history in a TuningHistory artifact.

    Args:
        uri: of the artifact.
    """
    return join(uri, HISTORY_FILE)
