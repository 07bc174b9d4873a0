"""BackboneChooser: which of several backbones suits the data, before anything is trained."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.artifact_types import BackboneChoice
from components.backbone_chooser.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class BackboneChooser(TypedComponent):
    """Embeds a sample with each candidate, probes it, times it, and applies the rule.

    The rule and the artifact's format are in `models.backbone_choice.backbone_choice`. A candidate
    that cannot be had is left out with the reason.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    examples: Input[standard_artifacts.Examples]

    model: str
    """`models.backbone_choice.model_settings.ModelSettings` as JSON, with the candidates."""
    settings: str
    """`models.backbone_choice.model_settings.ChoiceSettings` as JSON."""
    seed: int
    """Of the sample."""
    cache_dir: str
    """FeatureExtractor's; decides the cost, never the result."""
    code: str

    choice: Output[BackboneChoice]
