"""ServingCheck: proves that a model serves before it is pushed."""

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.serving_check.executor import Executor


class ServingCheckSpec(ComponentSpec):
    """What ServingCheck consumes and produces."""

    PARAMETERS = {
        "settings": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }
    OUTPUTS = {"blessing": ChannelParameter(type=standard_artifacts.InfraBlessing)}


class ServingCheck(base_component.BaseComponent):
    """Serves the exported model and compares its answers with the trainer's.

    It takes the place of TFX's InfraValidator, which needs Docker and skips the push without a word
    where there is none. Its InfraBlessing has the same custom property, `blessed`, and the files
    `serving_check.json` and `server.log`.
    """

    SPEC_CLASS = ServingCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: BaseChannel,
        examples: BaseChannel,
        blessing: BaseChannel,
        *,
        settings: str,
        code: str,
    ) -> None:
        """Builds the node.

        Args:
            model: to be served; its `expected.json` has what the trainer's own model answers.
            examples: that the model was trained on; their validation split has the images.
            blessing: of Judge; a model that is not blessed is not checked.
            settings: JSON object with `model_name`, `check_images` and `tolerance`.
            code: digest of the code that this component depends on; part of the cache key.
        """
        super().__init__(
            ServingCheckSpec(
                model=model,
                examples=examples,
                model_blessing=blessing,
                settings=settings,
                code=code,
                blessing=Channel(type=standard_artifacts.InfraBlessing),
            )
        )
