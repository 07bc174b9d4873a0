"""FeatureExtractor: embeddings of every split, computed once and kept."""

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.types import standard_artifacts

from components.artifact_types import BackboneChoice, Embeddings
from components.feature_extractor.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class FeatureExtractor(TypedComponent, BaseBeamComponent):
    """Runs the frozen backbone over the images that no earlier run has embedded.

    Tuning, near-duplicates, task similarity and drift all read its artifact, so that the expensive
    pass is paid once. Its format is in `models.embedding.artifact`.
    """

    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    examples: Input[standard_artifacts.Examples]
    choice: Input[BackboneChoice]
    """Of Tuner: which backbone."""

    settings: str
    """`models.backbone_choice.model_settings.ModelSettings` as JSON; which backbone is not read."""
    cache_dir: str
    """Keeps embeddings from run to run; decides the cost, never the result."""
    code: str

    embeddings: Output[Embeddings]
