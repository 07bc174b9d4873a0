"""BackboneChooser: which of several backbones suits the data, before anything is trained."""

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import BackboneChoice
from components.backbone_chooser.executor import Executor


class BackboneChooserSpec(ComponentSpec):
    """What BackboneChooser consumes and produces."""

    PARAMETERS = {
        "candidates": ExecutionParameter(type=str),
        "settings": ExecutionParameter(type=str),
        "resize": ExecutionParameter(type=str),
        "seed": ExecutionParameter(type=int),
        "cache_dir": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {"examples": ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS = {"choice": ChannelParameter(type=BackboneChoice)}


class BackboneChooser(base_component.BaseComponent):
    """Embeds a sample with each candidate, probes it, times it, and applies the rule.

    The rule and the artifact's format are in `models.backbone_choice.backbone_choice`. A candidate
    that cannot be had is left out with the reason.
    """

    SPEC_CLASS = BackboneChooserSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        *,
        candidates: str,
        settings: str,
        resize: str,
        seed: int,
        cache_dir: str,
        code: str,
    ) -> None:
        """Builds the node.

        Args:
            examples: of ImageExampleGen.
            candidates: JSON list of objects with `backbone`, `weights` and `image_size`.
            settings: JSON object with `images` (of the sample), `price` and `standard_errors`.
            resize: "stretch", "pad" or "crop".
            seed: of the sample.
            cache_dir: FeatureExtractor's; decides the cost, never the result.
            code: digest of the code that this component depends on; part of the cache key.
        """
        super().__init__(
            BackboneChooserSpec(
                examples=examples,
                candidates=candidates,
                settings=settings,
                resize=resize,
                seed=seed,
                cache_dir=cache_dir,
                code=code,
                choice=Channel(type=BackboneChoice),
            )
        )
