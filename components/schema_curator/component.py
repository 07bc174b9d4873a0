"""SchemaCurator: infers the schema on the first run and imports the user's file ever after."""

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import Quarantine
from components.schema_curator.executor import Executor


class SchemaCuratorSpec(ComponentSpec):
    """What SchemaCurator consumes and produces."""

    PARAMETERS = {
        "schema_path": ExecutionParameter(type=str),
        "curated": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "quarantine": ChannelParameter(type=Quarantine),
    }
    OUTPUTS = {"schema": ChannelParameter(type=standard_artifacts.Schema)}


class SchemaCurator(base_component.BaseComponent):
    """Puts the curated schema under TFX's control.

    Where the user's file is absent, the schema is inferred from the statistics and written there;
    where it exists it is imported as it is, never overwritten. The artifact's custom property
    `path` says where that file is.
    """

    SPEC_CLASS = SchemaCuratorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        statistics: BaseChannel,
        quarantine: BaseChannel,
        *,
        schema_path: str,
        curated: str,
        code: str,
    ) -> None:
        """Builds the node.

        Args:
            statistics: of all splits, over `components.statistics`' features.
            quarantine: of ImageExampleGen, which also names the classes.
            schema_path: absolute path of the user's schema file.
            curated: `curated_state(schema_path)`; part of the cache key.
            code: digest of the code that this component depends on; part of the cache key.
        """
        super().__init__(
            SchemaCuratorSpec(
                statistics=statistics,
                quarantine=quarantine,
                schema_path=schema_path,
                curated=curated,
                code=code,
                schema=Channel(type=standard_artifacts.Schema),
            )
        )
