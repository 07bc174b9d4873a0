"""WarmTuner: chooses the head's hyperparameters, starting from what earlier searches learned."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.artifact_types import Embeddings, TuningHistory
from components.typed_component import Input, Output, TypedComponent
from components.warm_tuner.executor import Executor


class WarmTuner(TypedComponent):
    """Runs a Keras Tuner search over heads on the frozen backbone's embeddings.

    It stands in the place of TFX's Tuner, which runs the whole model in every trial, deletes the
    trials' records, and succeeds when every trial failed; and it learns from the histories of
    earlier searches. The output `best_hyperparameters` is what TFX's Tuner writes; the output
    `history` holds all trials, what earlier searches gave to them, and the probe (the formats are
    in `models.history.tuning_history`, `models.history.contribution` and
    `models.head.frozen_probe`).
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    embeddings: Input[Embeddings]
    transform_graph: Input[standard_artifacts.TransformGraph]
    """With the label vocabulary."""
    past: Input[TuningHistory] | None
    """Of earlier searches; see `components.past_searches.past_searches_resolver`."""

    settings: str
    """`models.search.search_settings.SearchSettings` as JSON."""
    class_weights: str
    """"none" or "balanced", as in the final training."""
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
