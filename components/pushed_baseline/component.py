"""PushedBaseline: the newest pushed model, to compare with."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.pushed_baseline.executor import Executor
from components.typed_component import Output, TypedComponent


class PushedBaseline(TypedComponent):
    """Copies the newest version of the serving directory into an artifact.

    It stands where `components.baseline_resolver` cannot be: Kubeflow Pipelines runs no resolvers
    of others. The artifact has the model as Trainer's has, or is an empty folder where nothing was
    pushed yet, which Judge takes for no baseline.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    directory: str
    """The serving directory, which holds a directory per version."""
    code: str

    model: Output[standard_artifacts.Model]
