"""Judge: decides whether a model may be pushed, and says why."""

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import TuningHistory
from components.judge.executor import Executor


class JudgeSpec(ComponentSpec):
    """What Judge consumes and produces."""

    PARAMETERS = {
        "settings": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "baseline_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "history": ChannelParameter(type=TuningHistory),
    }
    OUTPUTS = {"blessing": ChannelParameter(type=standard_artifacts.ModelBlessing)}


class Judge(base_component.BaseComponent):
    """Asks the exported model for the test split and checks the answers.

    Its ModelBlessing carries the custom properties of TFX's Evaluator, so that whatever looks for
    the latest blessed model finds it, and three files: `verdict.json`, `metrics.json` and
    `predictions.npz`.
    """

    SPEC_CLASS = JudgeSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        model: BaseChannel,
        evaluation: BaseChannel,
        history: BaseChannel,
        *,
        settings: str,
        code: str,
        baseline_model: BaseChannel | None = None,
    ) -> None:
        """Builds the node.

        Args:
            examples: with a test split.
            model: to be judged.
            evaluation: what the Evaluator found of the same model on the same split.
            history: of the search, for the head on the frozen backbone.
            settings: JSON object of the keys of `evaluation` in the configuration.
            code: digest of the code that this component depends on; part of the cache key.
            baseline_model: the last blessed model, where there is one.
        """
        super().__init__(
            JudgeSpec(
                examples=examples,
                model=model,
                baseline_model=baseline_model,
                evaluation=evaluation,
                history=history,
                settings=settings,
                code=code,
                blessing=Channel(type=standard_artifacts.ModelBlessing),
            )
        )
