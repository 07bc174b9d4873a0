"""ReferenceMaker: what a pushed model's requests are compared with."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.artifact_types import MonitoringReference
from components.reference.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class ReferenceMaker(TypedComponent):
    """Asks a blessed model for test, training and validation images, as a server would.

    A model that is not blessed gets no reference; the artifact is empty then.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    model: Input[standard_artifacts.Model]
    examples: Input[standard_artifacts.Examples]
    """That the model was trained on."""
    model_blessing: Input[standard_artifacts.ModelBlessing]
    """Of Judge."""

    settings: str
    """`models.observation.monitoring_settings.MonitoringSettings` as JSON."""
    answers_dir: str | None
    """Keeps what exports made of images from run to run; decides the cost, never the result."""
    code: str

    reference: Output[MonitoringReference]
