"""The models of a metadata store that were found good enough to be pushed."""

from typing import Final

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from components.artifact_names import BLESSED, BLESSING, CURRENT_MODEL_ID

BASELINES: Final = 2
"""A model is compared with the newest blessed one or, when it is that itself, with the next."""


def blessed_models(store: mlmd.MetadataStore) -> list[metadata_store_pb2.Artifact]:
    """Blessed models that are there, the newest first."""
    blessings = store.get_artifacts_by_type(BLESSING)
    models = [
        each.custom_properties[CURRENT_MODEL_ID].int_value
        for each in blessings
        if each.custom_properties[BLESSED].int_value == 1
    ]
    live = [
        model
        for model in store.get_artifacts_by_id(sorted(set(models)))
        if model.state == metadata_store_pb2.Artifact.LIVE
    ]
    return sorted(live, key=lambda model: -model.id)
