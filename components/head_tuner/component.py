"""HeadTuner: chooses the head's hyperparameters on the frozen backbone's embeddings."""

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import Embeddings, TuningHistory
from components.head_tuner.executor import Executor


class HeadTunerSpec(ComponentSpec):
    """What HeadTuner consumes and produces."""

    PARAMETERS = {
        "settings": ExecutionParameter(type=str),
        "seed": ExecutionParameter(type=int),
        "scratch_dir": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {
        "embeddings": ChannelParameter(type=Embeddings),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {
        "best_hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters),
        "history": ChannelParameter(type=TuningHistory),
    }


class HeadTuner(base_component.BaseComponent):
    """Runs a Keras Tuner search over heads.

    It stands in the place of TFX's Tuner, which runs the whole model in every trial, deletes the
    trials' records, and succeeds when every trial failed. The output `best_hyperparameters` is
    what TFX's Tuner writes; the output `history` holds all trials and the probe (the formats are
    in `models.tuning.history` and `models.tuning.probe`).
    """

    SPEC_CLASS = HeadTunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        embeddings: BaseChannel,
        transform_graph: BaseChannel,
        *,
        settings: str,
        seed: int,
        scratch_dir: str,
        code: str,
    ) -> None:
        """Builds the node.

        Args:
            embeddings: of FeatureExtractor.
            transform_graph: of Transform, with the label vocabulary.
            settings: JSON object; see `models.tuning.settings.SearchSettings`.
            seed: of the search and of the training in it.
            scratch_dir: keeps finished trials, so that a killed search goes on; decides the cost,
                never the result.
            code: digest of the code that this component depends on; part of the cache key.
        """
        super().__init__(
            HeadTunerSpec(
                embeddings=embeddings,
                transform_graph=transform_graph,
                settings=settings,
                seed=seed,
                scratch_dir=scratch_dir,
                code=code,
                best_hyperparameters=Channel(type=standard_artifacts.HyperParameters),
                history=Channel(type=TuningHistory),
            )
        )
