"""Keeps what follows from a choice cached as long as the same backbone is chosen."""

import json

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.components.common import resolver

from models.backbone_choice.backbone_choice import BackboneChoice

CHOSEN = "chosen"
"""Custom property of a BackboneChoice: the chosen backbone, `chosen_key`."""


def chosen_key(choice: BackboneChoice) -> str:
    """Names the chosen backbone: equal for two choices that make no difference to what follows."""
    return json.dumps([choice.candidate.model_dump(), choice.weights_digest], sort_keys=True)


class ChosenBackboneStrategy(resolver.ResolverStrategy):
    """Resolves the first choice that fell on the same backbone as this run's.

    With this run's own, a candidate more or another price would embed, tune and train anew, though
    the backbone stays what it was: TFX's cache knows an input by its artifact, not by its content.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Resolves the channel `choice`.

        Args:
            store: not used; the channels hold all artifacts of their kind.
            input_dict: `current` holds the one choice of this run, `choice` those of all runs.

        Returns:
            The same keys.
        """
        del store
        (current,) = input_dict["current"]
        chosen = current.get_string_custom_property(CHOSEN)
        same = [
            each
            for each in (current, *input_dict["choice"])
            if each.get_string_custom_property(CHOSEN) == chosen
        ]
        return {"current": [current], "choice": [min(same, key=lambda each: each.id)]}
