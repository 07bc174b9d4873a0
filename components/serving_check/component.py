"""ServingCheck: proves that a model serves before it is pushed."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.serving_check.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class ServingCheck(TypedComponent):
    """Serves the exported model and compares its answers with the trainer's.

    It takes the place of TFX's InfraValidator, which needs Docker and skips the push without a word
    where there is none. Its InfraBlessing has the same custom property, `blessed`, and the files
    `serving_check.json` and `server.log`.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    model: Input[standard_artifacts.Model]
    """Its `expected.json` has what the trainer's own model answers."""
    examples: Input[standard_artifacts.Examples]
    """That the model was trained on; their validation split has the images."""
    model_blessing: Input[standard_artifacts.ModelBlessing]
    """Of Judge; a model that is not blessed is not checked."""

    settings: str
    """`components.serving_check.serving_settings.ServingSettings` as JSON."""
    code: str

    blessing: Output[standard_artifacts.InfraBlessing]
