"""What TFX makes of a component's declarations."""

from typing import Any

import pytest
from tfx.dsl.components.base.base_executor import EmptyExecutor
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import Channel, standard_artifacts

from components.typed_component import Input, Output, TypedComponent

EXAMPLES = Channel(type=standard_artifacts.Examples)


class Example(TypedComponent):
    """Declares one of each kind."""

    EXECUTOR_SPEC = ExecutorClassSpec(EmptyExecutor)

    examples: Input[standard_artifacts.Examples]
    model: Input[standard_artifacts.Model] | None

    seed: int
    name: str | None

    schema: Output[standard_artifacts.Schema]


def test_declarations_become_inputs_parameters_and_outputs() -> None:
    node = Example(examples=EXAMPLES, seed=3)
    assert node.id == "Example"
    assert dict(node.inputs) == {"examples": EXAMPLES}
    assert node.exec_properties == {"seed": 3, "name": None}
    assert node.outputs["schema"].type is standard_artifacts.Schema
    assert node.spec.is_optional_input("model")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"examples": EXAMPLES}, ValueError, "Missing argument 'seed'"),
        ({"seed": 3}, ValueError, "Missing argument 'examples'"),
        ({"examples": EXAMPLES, "seed": "3"}, TypeError, "seed"),
        (
            {"examples": EXAMPLES, "seed": 3, "sede": 4},
            TypeError,
            "Example does not take sede; it takes examples, model, seed, name",
        ),
    ],
)
def test_what_was_not_declared_or_is_missing_is_refused(
    arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        Example(**arguments)
