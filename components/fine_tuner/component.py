"""FineTuner: chooses the settings of fine-tuning by trying them."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.artifact_types import Embeddings, TuningHistory
from components.fine_tuner.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class FineTuner(TypedComponent):
    """Fine-tunes with some settings after another, from the head that WarmTuner chose.

    The output `best_hyperparameters` holds the head's values and, where other settings than the
    configured ones won, those (`models.training.searched_settings`); Trainer takes it in the place
    of WarmTuner's. The output `history` holds all trials and what earlier searches of this kind
    gave to them; it is empty where the strategy does not fine-tune.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    examples: Input[standard_artifacts.Examples]
    transform_graph: Input[standard_artifacts.TransformGraph]
    """With the label vocabulary."""
    embeddings: Input[Embeddings]
    """Of FeatureExtractor; they also say which backbone it was."""
    hyperparameters: Input[standard_artifacts.HyperParameters]
    """Of WarmTuner."""
    past: Input[TuningHistory] | None
    """Of earlier searches; see `components.past_searches.past_searches_resolver`."""

    settings: str
    """`models.search.search_settings.SearchSettings` as JSON."""
    training: str
    """`models.training.training_settings.TrainingSettings` as JSON."""
    seed: int
    """Of the search and of the training in it."""
    name: str
    """Of the data, for people; later searches know this one by it."""
    knowledge: str
    """`components.past_searches.knowledge.Knowledge` as JSON: histories in folders and buckets."""
    scratch_dir: str
    """Keeps finished trials, so that a killed search goes on; decides the cost, not the result."""
    code: str

    best_hyperparameters: Output[standard_artifacts.HyperParameters]
    history: Output[TuningHistory]
