"""Pusher: a blessed model becomes the next version of the serving directory."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.artifact_types import Findings, MonitoringReference, Quarantine
from components.pusher.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class Pusher(TypedComponent):
    """Copies a blessed model into the serving directory, whole or not at all.

    TFX's Pusher copies file by file, names versions by the clock, pushes the same model twice, and
    is silent about a model that is not blessed. The PushedModel artifact has its custom properties
    (`pushed`, `pushed_destination`, `pushed_version`) and the file `push.json`, with the reason
    where nothing was pushed; such a run of the component succeeds. The model card is made here, and
    goes into `assets.extra` of the pushed version.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    model: Input[standard_artifacts.Model]
    model_blessing: Input[standard_artifacts.ModelBlessing]
    infra_blessing: Input[standard_artifacts.InfraBlessing]
    reference: Input[MonitoringReference] | None
    """Travels with the model, in `assets.extra`, so that its server knows it."""

    quarantine: Input[Quarantine] | None
    """Of the data, for the card; without it the model gets none."""
    findings: Input[Findings] | None
    """Likewise."""

    name: str | None
    """Of the model, as it is served."""
    card: str | None
    """`components.model_card.card_settings.CardSettings` as JSON."""
    directory: str
    """The serving directory, which holds a directory per version."""
    code: str

    pushed_model: Output[standard_artifacts.PushedModel]
