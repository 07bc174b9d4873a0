"""Finds the histories of earlier searches in ML Metadata."""

import hashlib
import json
from collections.abc import Mapping, Sequence

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.components.common import resolver
from tfx.types import artifact_utils

from components.artifact_types import TuningHistory
from components.past_searches.request import PAST, REQUEST, request_digest
from components.past_searches.stored_histories import history_file, stored_histories
from models.history.tuning_history import MAX_BYTES
from models.storage.locations import read_place
from models.storage.place_error import PlaceError


class PastSearchesStrategy(resolver.ResolverStrategy):
    """Resolves the histories of all earlier searches, of whichever pipeline.

    A search that was made before gets the histories that it was given then. Otherwise its own
    history, and that of every search made since, would be news to it, and two data sets that are
    run in turn would be searched anew each time, for ever: nothing would come from the cache.
    What changes the request (a setting, the data, a file in a knowledge folder, Graft's code)
    makes a new search, and that one learns from all.
    """

    def __init__(self, parameters: Mapping[str, object], forgotten: Sequence[str] = ()) -> None:
        """Takes what the pipeline knows.

        Args:
            parameters: of the component that searches.
            forgotten: SHA-256 digests of histories that no new search learns from.
        """
        self._parameters = parameters
        self._forgotten = frozenset(forgotten)

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Resolves the channel `past`.

        Args:
            store: holds the histories of all pipelines.
            input_dict: the other inputs of the component, of this run, and `past`, which is not
                used: it holds the histories of this pipeline alone.

        Returns:
            The same keys.
        """
        histories = _artifacts(store)
        request = request_digest(self._parameters, input_dict)
        made = [each for each in histories if each.get_string_custom_property(REQUEST) == request]
        if made:
            given = json.loads(made[0].get_string_custom_property(PAST))
            past = [each for each in histories if each.id in given]
        else:
            past = [each for each in histories if not self._is_forgotten(each)]
        return {**input_dict, "past": past}

    def _is_forgotten(self, history: types.Artifact) -> bool:
        if not self._forgotten:
            return False
        try:
            content = read_place(history_file(history.uri), MAX_BYTES)
        except PlaceError:
            # The search says of it that it cannot be read.
            return False
        return hashlib.sha256(content).hexdigest() in self._forgotten


def _artifacts(store: mlmd.MetadataStore) -> list[types.Artifact]:
    stored = stored_histories(store)
    if not stored:
        return []
    kind = store.get_artifact_type(TuningHistory.TYPE_NAME)
    return [artifact_utils.deserialize_artifact(kind, each) for each in stored]
