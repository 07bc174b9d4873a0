"""WarmTuner: chooses the head's hyperparameters, starting from what earlier searches learned."""

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import Embeddings, TuningHistory
from components.warm_tuner.executor import Executor


class WarmTunerSpec(ComponentSpec):
    """What WarmTuner consumes and produces."""

    PARAMETERS = {
        "settings": ExecutionParameter(type=str),
        "seed": ExecutionParameter(type=int),
        "name": ExecutionParameter(type=str),
        "knowledge": ExecutionParameter(type=str),
        "scratch_dir": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {
        "embeddings": ChannelParameter(type=Embeddings),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
        "past": ChannelParameter(type=TuningHistory, optional=True),
    }
    OUTPUTS = {
        "best_hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters),
        "history": ChannelParameter(type=TuningHistory),
    }


class WarmTuner(base_component.BaseComponent):
    """Runs a Keras Tuner search over heads on the frozen backbone's embeddings.

    It stands in the place of TFX's Tuner, which runs the whole model in every trial, deletes the
    trials' records, and succeeds when every trial failed; and it learns from the histories of
    earlier searches. The output `best_hyperparameters` is what TFX's Tuner writes; the output
    `history` holds all trials, what earlier searches gave to them, and the probe (the formats are
    in `models.history.tuning_history`, `models.history.contribution` and
    `models.head.frozen_probe`).
    """

    SPEC_CLASS = WarmTunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        embeddings: BaseChannel,
        transform_graph: BaseChannel,
        *,
        settings: str,
        seed: int,
        name: str,
        knowledge: str,
        scratch_dir: str,
        code: str,
        past: BaseChannel | None = None,
    ) -> None:
        """Builds the node.

        Args:
            embeddings: of FeatureExtractor.
            transform_graph: of Transform, with the label vocabulary.
            settings: JSON object; see `models.search.search_settings.SearchSettings`.
            seed: of the search and of the training in it.
            name: of the data, for people; later searches know this one by it.
            knowledge: JSON object of `components.past_searches.knowledge.Knowledge`: histories that
                lie in folders and buckets.
            scratch_dir: keeps finished trials, so that a killed search goes on; decides the cost,
                never the result.
            code: digest of the code that this component depends on; part of the cache key.
            past: histories of earlier searches, of
                `components.past_searches.past_searches_resolver`.
        """
        super().__init__(
            WarmTunerSpec(
                embeddings=embeddings,
                transform_graph=transform_graph,
                past=past,
                settings=settings,
                seed=seed,
                name=name,
                knowledge=knowledge,
                scratch_dir=scratch_dir,
                code=code,
                best_hyperparameters=Channel(type=standard_artifacts.HyperParameters),
                history=Channel(type=TuningHistory),
            )
        )
