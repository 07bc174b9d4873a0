"""Finds the model that a candidate is compared with, and the images that it was made from."""

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.components.common import resolver

from components.artifact_names import BLESSED, CURRENT_MODEL_ID
from components.lineage import input_of


class BaselineStrategy(resolver.ResolverStrategy):
    """Resolves the newest blessed model that is older than the candidate.

    TFX's LatestBlessedModelStrategy would, on a second identical run, resolve the candidate
    itself: it would be compared with itself, and evaluation would never come from the cache.
    With "older than the candidate" the answer for a candidate never changes.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Resolves from the channels `candidate`, `model`, `model_blessing` and `examples`.

        Args:
            store: knows which examples a model was trained on.
            input_dict: `candidate` holds the one model of this run, the others all artifacts of
                their kind.

        Returns:
            The same keys; all but `candidate` are empty where there is no baseline, `examples` also
            where those of the baseline were deleted.
        """
        candidates = input_dict["candidate"]
        newest = max((artifact.id for artifact in candidates), default=0)
        blessings = {
            blessing.get_int_custom_property(CURRENT_MODEL_ID): blessing
            for blessing in input_dict["model_blessing"]
            if blessing.get_int_custom_property(BLESSED) == 1
        }
        older = [m for m in input_dict["model"] if m.id < newest and m.id in blessings]
        baseline = max(older, key=lambda model: model.id, default=None)
        if baseline is None:
            return {"candidate": candidates, "model": [], "model_blessing": [], "examples": []}
        trained_on = input_of(store, baseline.id, "examples")
        return {
            "examples": [each for each in input_dict["examples"] if _is(each, trained_on)],
            "candidate": candidates,
            "model": [baseline],
            "model_blessing": [blessings[baseline.id]],
        }


def _is(artifact: types.Artifact, other: metadata_store_pb2.Artifact | None) -> bool:
    return other is not None and artifact.id == other.id
