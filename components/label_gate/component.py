"""LabelGate: what is said of wrong labels, and whether the run goes on."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec

from components.artifact_types import Findings, LabelErrors
from components.label_gate.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class LabelGate(TypedComponent):
    """Makes a finding of labels that look wrong; fails where it is an error.

    It stands apart from LabelCheck, so that another severity looks at no image again.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    label_errors: Input[LabelErrors]
    settings: str
    """`components.image_validator.validation_settings.ValidationSettings` as JSON."""
    code: str

    findings: Output[Findings]
