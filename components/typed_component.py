"""Components that say once what they consume, take and produce."""

import inspect
from typing import Any, Generic, TypeVar, get_args, get_origin

from tfx.dsl.components.base import base_component
from tfx.types import Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

ArtifactT = TypeVar("ArtifactT")


class Input(Generic[ArtifactT]):
    """Declares a channel that a component reads."""


class Output(Generic[ArtifactT]):
    """Declares the channel of one artifact that a component writes."""


class TypedComponent(base_component.BaseComponent):
    """A component whose TFX specification follows from its annotations.

    `Input[X]` and `Output[X]` declare a channel of artifacts of the type X, everything else a
    parameter; `| None` makes an input or a parameter optional. By convention the parameter `code`
    is the digest of the code that the component depends on: a part of the cache key.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Makes the specification."""
        super().__init_subclass__(**options)
        cls.SPEC_CLASS = _specification(cls)

    def __init__(self, **arguments: Any) -> None:
        """Builds the node.

        Args:
            arguments: the channels of the inputs, and the parameters.

        Raises:
            TypeError: an argument that was not declared.
            ValueError: one that was declared is missing.
        """
        spec = self.SPEC_CLASS
        known = spec.INPUTS | spec.PARAMETERS
        if unknown := arguments.keys() - known.keys():
            names = f"{', '.join(sorted(unknown))}; it takes {', '.join(known)}"
            raise TypeError(f"{type(self).__name__} does not take {names}")
        optional = [key for key, value in spec.PARAMETERS.items() if value.optional]
        outputs = {key: Channel(type=value.type) for key, value in spec.OUTPUTS.items()}
        super().__init__(spec(**dict.fromkeys(optional) | arguments | outputs))


def _specification(component: type) -> type[ComponentSpec]:
    declared: dict[Any, dict[str, Any]] = {Input: {}, Output: {}, None: {}}
    for key, annotation in inspect.get_annotations(component).items():
        optional = type(None) in get_args(annotation)
        kind = get_args(annotation)[0] if optional else annotation
        channel = get_origin(kind)
        if channel is None:
            declared[None][key] = ExecutionParameter(type=kind, optional=optional)
        else:
            declared[channel][key] = ChannelParameter(type=get_args(kind)[0], optional=optional)
    members = {"INPUTS": declared[Input], "OUTPUTS": declared[Output], "PARAMETERS": declared[None]}
    return type(f"{component.__name__}Spec", (ComponentSpec,), members)
