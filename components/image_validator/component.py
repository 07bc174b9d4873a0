"""ImageValidator: what TensorFlow Data Validation cannot see, and its anomalies, as findings."""

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import Findings, Quarantine
from components.image_validator.executor import Executor


class ImageValidatorSpec(ComponentSpec):
    """What ImageValidator consumes and produces."""

    PARAMETERS = {
        "settings": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "quarantine": ChannelParameter(type=Quarantine),
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
    }
    OUTPUTS = {"findings": ChannelParameter(type=Findings)}


class ImageValidator(base_component.BaseComponent):
    """Finds duplicates and near-duplicates, label conflicts, and classes that cannot be learnt.

    It never fails on what it finds; `ValidationGate` does.
    """

    SPEC_CLASS = ImageValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        quarantine: BaseChannel,
        anomalies: BaseChannel,
        schema: BaseChannel,
        *,
        settings: str,
        code: str,
    ) -> None:
        """Builds the node.

        Args:
            examples: of ImageExampleGen.
            quarantine: of ImageExampleGen.
            anomalies: of ExampleValidator.
            schema: of SchemaCurator.
            settings: JSON of `components.image_validator.validation_settings.ValidationSettings`.
            code: digest of the code that this component depends on; part of the cache key.
        """
        super().__init__(
            ImageValidatorSpec(
                examples=examples,
                quarantine=quarantine,
                anomalies=anomalies,
                schema=schema,
                settings=settings,
                code=code,
                findings=Channel(type=Findings),
            )
        )
