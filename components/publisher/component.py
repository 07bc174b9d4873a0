"""Publisher: the pushed version, in a bucket."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.publisher.executor import Executor
from components.typed_component import Input, TypedComponent


class Publisher(TypedComponent):
    """Copies what Pusher pushed to object storage; does nothing where it pushed nothing.

    It has no output. TFX takes a success from the cache all the same: a run that pushed nothing new
    asks the bucket nothing, and what a person deleted there does not come back by itself.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    pushed_model: Input[standard_artifacts.PushedModel]
    target: str
    """URI of the folder of versions, such as s3://bucket/models/graft."""
    code: str
