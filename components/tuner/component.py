"""Tuner: chooses backbone, image size, how much is trained, and how, within a time."""

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.types import standard_artifacts

from components.artifact_types import BackboneChoice, LabelErrors, TrainingState, TuningHistory
from components.tuner.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class Tuner(TypedComponent, BaseBeamComponent):
    """Trains configurations for as long as the budget lasts; see `models.search.joint_search`.

    It stands in the place of TFX's Tuner, which runs every trial to its end, deletes the trials'
    records, and succeeds when every trial failed; and it learns from the histories of earlier
    searches. The output `best_hyperparameters` is what TFX's Tuner writes; `chosen` says which
    backbone it is of; `state` is what Trainer goes on from, and empty where a frozen backbone won;
    `history` holds every configuration that was begun, and what the search did (the formats are in
    `models.history.tuning_history` and `models.search.search_record`).
    """

    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    examples: Input[standard_artifacts.Examples]
    transform_graph: Input[standard_artifacts.TransformGraph]
    """With the label vocabulary."""
    label_errors: Input[LabelErrors] | None
    """Of LabelCheck: which images are left out."""
    champion: Input[standard_artifacts.Model] | None
    """That the training begins from: nothing is searched where its backbone is a candidate."""
    past: Input[TuningHistory] | None
    """Of earlier searches; see `components.past_searches.past_searches_resolver`."""

    model: str
    """`models.backbone_choice.model_settings.ModelSettings` as JSON."""
    choice: str
    """`models.backbone_choice.model_settings.ChoiceSettings` as JSON."""
    training: str
    """`models.training.training_settings.TrainingSettings` as JSON."""
    settings: str
    """`models.search.search_settings.SearchSettings` as JSON."""
    seed: int
    """Of the search and of the training in it."""
    name: str
    """Of the data, for people; later searches know this one by it."""
    knowledge: str
    """`components.past_searches.knowledge.Knowledge` as JSON: histories in folders and buckets."""
    cache_dir: str
    """FeatureExtractor's; decides the cost, never the result."""
    activations_dir: str
    """Keeps what frozen layers make of the images, for Trainer too; decides the cost alone."""
    scratch_dir: str
    """Keeps what was trained, so that a killed search goes on; decides the cost, not the result."""
    beside: str
    """File that says what else is learned from (`models.search.images_beside`); decides the time
    that is told, and what keeps to it, alone."""
    code: str

    chosen: Output[BackboneChoice]
    best_hyperparameters: Output[standard_artifacts.HyperParameters]
    state: Output[TrainingState]
    history: Output[TuningHistory]
