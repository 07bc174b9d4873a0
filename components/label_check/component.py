"""LabelCheck: looks for wrong labels before anything is trained on them."""

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.types import standard_artifacts

from components.artifact_types import LabelErrors
from components.label_check.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class LabelCheck(TypedComponent, BaseBeamComponent):
    """Weighs the labels of training and validation images, and says which are left out.

    The images are embedded with the first backbone that the search tries, which takes its
    embeddings from the same store.
    """

    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    examples: Input[standard_artifacts.Examples]
    transform_graph: Input[standard_artifacts.TransformGraph]
    """With the label vocabulary."""

    model: str
    """`models.backbone_choice.model_settings.ModelSettings` as JSON."""
    handling: str
    """`models.head.label_handling.LabelErrors`."""
    seed: int
    """Of the parts that heads are fitted without."""
    cache_dir: str
    """FeatureExtractor's; decides the cost, never the result."""
    code: str

    label_errors: Output[LabelErrors]
