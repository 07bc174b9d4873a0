"""Judge: decides whether a model may be pushed, and says why."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.judge.executor import Executor
from components.typed_component import Input, Output, TypedComponent


class Judge(TypedComponent):
    """Asks the exported model for the test split and checks the answers.

    Its ModelBlessing carries the custom properties of TFX's Evaluator, so that whatever looks for
    the latest blessed model finds it, and four files: `verdict.json`, `metrics.json`,
    `predictions.npz` and `explanations.npz`.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    examples: Input[standard_artifacts.Examples]
    """With a test split."""
    model: Input[standard_artifacts.Model]
    """With what the head on the frozen backbone answers."""
    baseline_model: Input[standard_artifacts.Model] | None
    """The last blessed model, where there is one."""
    baseline_examples: Input[standard_artifacts.Examples] | None
    """What that was trained and tested on, where it is still there."""
    evaluation: Input[standard_artifacts.ModelEvaluation]
    """What the Evaluator found of the same model on the same split."""
    schema: Input[standard_artifacts.Schema]
    """Whose classes are wanted: a model that lacks one of them has forgotten it."""
    settings: str
    """`components.evaluation.evaluation_settings.EvaluationSettings` as JSON."""
    answers_dir: str | None
    """Keeps what exports made of images from run to run; decides the cost, never the result."""
    code: str

    blessing: Output[standard_artifacts.ModelBlessing]
