"""ValidationGate: the run goes on only where validation found no error."""

from typing import Any

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec

from components.artifact_types import Findings
from components.gate.executor import Executor


class ValidationGateSpec(ComponentSpec):
    """What ValidationGate consumes."""

    PARAMETERS: dict[str, Any] = {}
    INPUTS = {"findings": ChannelParameter(type=Findings)}
    OUTPUTS: dict[str, Any] = {}


class ValidationGate(base_component.BaseComponent):
    """Fails on findings of severity "error".

    It has no output: the nodes that must wait for it say so with `add_upstream_node(gate)`.
    """

    SPEC_CLASS = ValidationGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, findings: BaseChannel) -> None:
        """Builds the node.

        Args:
            findings: of ImageValidator.
        """
        super().__init__(ValidationGateSpec(findings=findings))
