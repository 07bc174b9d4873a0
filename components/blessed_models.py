"""The models of a metadata store that were found good enough to be pushed."""

from typing import Final

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from components.artifact_names import BLESSED, BLESSING, CURRENT_MODEL_ID
from components.artifact_seals import EXPORT_DIGEST

BASELINES: Final = 2
"""A model is compared with the newest blessed one or, when it is that itself, with the next."""


def blessed_models(store: mlmd.MetadataStore) -> list[metadata_store_pb2.Artifact]:
    """Models that are there and that the Judge blessed, the newest first.

    TFX's Evaluator blesses too, by its own thresholds alone; its word has no digest of the export.
    """
    blessings = store.get_artifacts_by_type(BLESSING)
    models = [
        each.custom_properties[CURRENT_MODEL_ID].int_value
        for each in blessings
        if each.custom_properties[BLESSED].int_value == 1
        and each.custom_properties[EXPORT_DIGEST].string_value
    ]
    live = [
        model
        for model in store.get_artifacts_by_id(sorted(set(models)))
        if model.state == metadata_store_pb2.Artifact.LIVE
    ]
    return sorted(live, key=lambda model: -model.id)
