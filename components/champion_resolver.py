"""Finds the model that a training begins from (`training.start`)."""

from pathlib import Path

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.components.common import resolver

from components.artifact_names import BLESSED, CURRENT_MODEL_ID
from components.kept_network import is_kept
from components.lineage import input_of


class ChampionStrategy(resolver.ResolverStrategy):
    """Resolves the newest blessed model that was trained on earlier examples than these.

    A model of these very examples has learned them. Were it taken, a second identical run would
    begin from the first one's model, and training would never come from the cache.
    """

    def __init__(self, recipe: str = "") -> None:
        """Makes the strategy.

        Args:
            recipe: digest of the configuration; only a model whose network would hardly become
                another one counts then (`components.kept_network`). Empty: any.
        """
        self._recipe = recipe

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Resolves from the channels `current`, `model`, `model_blessing` and `examples`.

        Args:
            store: knows which examples a model was trained on.
            input_dict: `current` holds the examples of this run, the others all artifacts of their
                kind.

        Returns:
            The same keys; all but `current` are empty where the newest such model does not count,
            `examples` also where those of the model were deleted.
        """
        (current,) = input_dict["current"]
        blessed = {
            blessing.get_int_custom_property(CURRENT_MODEL_ID): blessing
            for blessing in input_dict["model_blessing"]
            if blessing.get_int_custom_property(BLESSED) == 1
        }
        for model in sorted(input_dict["model"], key=lambda each: -each.id):
            trained_on = input_of(store, model.id, "examples") if model.id in blessed else None
            if trained_on is not None and trained_on.id < current.id:
                if self._recipe and not is_kept(Path(model.uri), Path(current.uri), self._recipe):
                    break
                return {
                    "current": [current],
                    "model": [model],
                    "model_blessing": [blessed[model.id]],
                    "examples": [e for e in input_dict["examples"] if e.id == trained_on.id],
                }
        return {"current": [current], "model": [], "model_blessing": [], "examples": []}
