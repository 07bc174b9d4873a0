"""Evaluator: TFX's, which takes a baseline that holds no model for none."""

from tfx.components import Evaluator as TfxEvaluator
from tfx.components.evaluator.executor import Executor as TfxExecutor
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from typing_extensions import override

from components.artifact_types import Artifacts, Params
from components.evaluation.baseline import without_empty_baseline


class Executor(TfxExecutor):
    """Writes the ModelEvaluation artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs TFX's Evaluator, without the baseline where there is none."""
        super().Do(without_empty_baseline(input_dict), output_dict, exec_properties)


class Evaluator(TfxEvaluator):
    """TFX's Evaluator; see `components.evaluation.eval_config`."""

    EXECUTOR_SPEC = BeamExecutorSpec(Executor)
