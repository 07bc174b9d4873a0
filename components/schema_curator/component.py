"""SchemaCurator: infers the schema on the first run and imports the user's file ever after."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.artifact_types import Quarantine
from components.schema_curator.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class SchemaCurator(TypedComponent):
    """Puts the curated schema under TFX's control.

    Where the user's file is absent, the schema is inferred from the statistics and written there;
    where it exists it is imported as it is, never overwritten. The artifact's custom property
    `path` says where that file is.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    statistics: Input[standard_artifacts.ExampleStatistics]
    """Of all splits, over the features in `components.statistics`."""
    quarantine: Input[Quarantine]
    """Of ImageExampleGen; it also names the classes."""

    schema_path: str
    """Absolute path of the user's schema file."""
    curated: str
    """`curated_state(schema_path)`; part of the cache key."""
    code: str

    schema: Output[standard_artifacts.Schema]
