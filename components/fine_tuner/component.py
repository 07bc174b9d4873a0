"""FineTuner: chooses the settings of fine-tuning by trying them."""

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import Embeddings, TuningHistory
from components.fine_tuner.executor import Executor


class FineTunerSpec(ComponentSpec):
    """What FineTuner consumes and produces."""

    PARAMETERS = {
        "settings": ExecutionParameter(type=str),
        "seed": ExecutionParameter(type=int),
        "name": ExecutionParameter(type=str),
        "knowledge": ExecutionParameter(type=str),
        "scratch_dir": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
        "embeddings": ChannelParameter(type=Embeddings),
        "hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters),
        "past": ChannelParameter(type=TuningHistory, optional=True),
    }
    OUTPUTS = {
        "best_hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters),
        "history": ChannelParameter(type=TuningHistory),
    }


class FineTuner(base_component.BaseComponent):
    """Fine-tunes with some settings after another, from the head that WarmTuner chose.

    The output `best_hyperparameters` holds the head's values and, where other settings than the
    configured ones won, those (`models.training.searched_settings`); Trainer takes it in the place
    of WarmTuner's. The output `history` holds all trials and what earlier searches of this kind
    gave to them; it is empty where the strategy does not fine-tune.
    """

    SPEC_CLASS = FineTunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        transform_graph: BaseChannel,
        embeddings: BaseChannel,
        hyperparameters: BaseChannel,
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
            examples: of ImageExampleGen.
            transform_graph: of Transform, with the label vocabulary.
            embeddings: of FeatureExtractor; they also say which backbone it was.
            hyperparameters: of WarmTuner.
            settings: JSON object of `components.fine_tuner.fine_tuner_settings.Settings`.
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
            FineTunerSpec(
                examples=examples,
                transform_graph=transform_graph,
                embeddings=embeddings,
                hyperparameters=hyperparameters,
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
