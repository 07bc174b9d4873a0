"""Finds the model that a candidate is compared with."""

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.components.common import resolver

from components.artifact_names import BLESSED, CURRENT_MODEL_ID


class BaselineStrategy(resolver.ResolverStrategy):
    """Resolves the newest blessed model that is older than the candidate.

    TFX's LatestBlessedModelStrategy would, on a second identical run, resolve the candidate
    itself: it would be compared with itself, and evaluation would never come from the cache.
    With "older than the candidate" the answer for a candidate never changes.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Resolves from the channels `candidate`, `model` and `model_blessing`.

        Args:
            store: not used; the channels hold all artifacts of their kind.
            input_dict: `candidate` holds the one model of this run.

        Returns:
            The same keys; `model` and `model_blessing` are empty where there is no baseline.
        """
        del store
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
            return {"candidate": candidates, "model": [], "model_blessing": []}
        return {
            "candidate": candidates,
            "model": [baseline],
            "model_blessing": [blessings[baseline.id]],
        }
