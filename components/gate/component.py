"""ValidationGate: the run goes on only where validation found no error."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec

from components.artifact_types import Findings
from components.gate.executor import Executor
from components.typed_component import Input, TypedComponent


class ValidationGate(TypedComponent):
    """Fails on findings of severity "error".

    It has no output: the nodes that must wait for it say so with `add_upstream_node(gate)`.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    findings: Input[Findings]
