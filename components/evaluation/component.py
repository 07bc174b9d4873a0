"""Evaluator: TFX's, which asks about images that are known by their features alone."""

import json
from typing import TYPE_CHECKING

from tfx.components import Evaluator as TfxEvaluator
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ExecutionParameter
from tfx.types.standard_component_specs import EvaluatorSpec as TfxEvaluatorSpec

from components.evaluation import user_functions
from components.evaluation.executor import Executor

if TYPE_CHECKING:
    # Without TFX, which comes first here, TFMA imports no more than its name.
    import tensorflow_model_analysis as tfma


class EvaluatorSpec(TfxEvaluatorSpec):
    """TFX's Evaluator with a place for known answers."""

    PARAMETERS = {
        **TfxEvaluatorSpec.PARAMETERS,
        "answers_dir": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }


class Evaluator(TfxEvaluator):
    """Evaluates a model with TensorFlow Model Analysis, through the model's `evaluate` signature.

    Answers to images that are in `answers_dir` are the head's; of these, one in some goes through
    the whole signature (`components.evaluation.known_model`).
    """

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        *,
        examples: BaseChannel,
        model: BaseChannel,
        example_splits: list[str],
        eval_config: "tfma.EvalConfig",
        answers_dir: str,
        code: str,
    ) -> None:
        """Builds the node.

        Args:
            examples: of ImageExampleGen.
            model: of Trainer.
            example_splits: splits to evaluate on.
            eval_config: of `components.evaluation.eval_config`.
            answers_dir: keeps what exports made of images from run to run, and is only read here;
                decides the cost, never the result.
            code: digest of the code that this component depends on; part of the cache key.
        """
        # TFX's constructor would refuse the further parameters.
        base_component.BaseComponent.__init__(
            self,
            EvaluatorSpec(
                examples=examples,
                model=model,
                example_splits=json.dumps(example_splits),
                eval_config=eval_config,
                module_path=user_functions.__name__,
                answers_dir=answers_dir,
                code=code,
                evaluation=Channel(type=standard_artifacts.ModelEvaluation),
                blessing=Channel(type=standard_artifacts.ModelBlessing),
            ),
        )
