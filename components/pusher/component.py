"""Pusher: a blessed model becomes the next version of the serving directory."""

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.pusher.executor import Executor


class PusherSpec(ComponentSpec):
    """What Pusher consumes and produces."""

    PARAMETERS = {
        "directory": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing),
    }
    OUTPUTS = {"pushed_model": ChannelParameter(type=standard_artifacts.PushedModel)}


class Pusher(base_component.BaseComponent):
    """Copies a blessed model into the serving directory, whole or not at all.

    TFX's Pusher copies file by file, names versions by the clock, pushes the same model twice, and
    is silent about a model that is not blessed. The PushedModel artifact has its custom properties
    (`pushed`, `pushed_destination`, `pushed_version`) and the file `push.json`, with the reason
    where nothing was pushed; such a run of the component succeeds.
    """

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: BaseChannel,
        blessing: BaseChannel,
        infra_blessing: BaseChannel,
        *,
        directory: str,
        code: str,
    ) -> None:
        """Builds the node.

        Args:
            model: to be pushed.
            blessing: of Judge.
            infra_blessing: of ServingCheck.
            directory: the serving directory, which holds a directory per version.
            code: digest of the code that this component depends on; part of the cache key.
        """
        super().__init__(
            PusherSpec(
                model=model,
                model_blessing=blessing,
                infra_blessing=infra_blessing,
                directory=directory,
                code=code,
                pushed_model=Channel(type=standard_artifacts.PushedModel),
            )
        )
