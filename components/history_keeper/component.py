"""HistoryKeeper: a run's history goes to where the next run's search finds it."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec

from components.artifact_types import TuningHistory
from components.history_keeper.executor import Executor
from components.typed_component import Input, TypedComponent


class HistoryKeeper(TypedComponent):
    """Copies the history of the search to a folder or a bucket, unless nothing was searched.

    It stands where `components.past_searches.past_searches_resolver` cannot be: Kubeflow Pipelines
    runs no resolvers of others.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    history: Input[TuningHistory]
    folder: str
    """Folder, or a URI such as gs://bucket/folder."""
    code: str
