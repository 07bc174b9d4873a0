"""ImageValidator: what TensorFlow Data Validation cannot see, and its anomalies, as findings."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.artifact_types import Findings, Quarantine
from components.image_validator.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class ImageValidator(TypedComponent):
    """Finds duplicates and near-duplicates, label conflicts, and classes that cannot be learnt.

    It never fails on what it finds; `ValidationGate` does.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    examples: Input[standard_artifacts.Examples]
    quarantine: Input[Quarantine]
    anomalies: Input[standard_artifacts.ExampleAnomalies]
    schema: Input[standard_artifacts.Schema]

    settings: str
    """`components.image_validator.validation_settings.ValidationSettings` as JSON."""
    further_labels: str
    """JSON list of the columns that hold labels beside the class."""
    memory_dir: str
    """Remembers the images of the classes that the schema knows, so that a new name of a class is
    seen as that, and that classes exchanged their names."""
    forgotten: str
    """Changes when what is remembered was forgotten."""
    code: str

    findings: Output[Findings]
