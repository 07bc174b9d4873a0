"""The text of a `ModelServerConfig`."""

from pathlib import Path

import pytest

from serving.errors import ServingError
from serving.servables.model_config import ModelConfig, VersionPolicy, read_config

GOOD = """
model_config_list {
  config { name: "a" base_path: "/models/a" model_platform: "tensorflow" }
  config {
    name: "b" base_path: "/models/b" model_type: TENSORFLOW
    model_version_policy { specific { versions: 2 versions: 5 } }
    version_labels { key: "stable" value: 2 }
    version_labels { key: "canary" value: 5 }
  }
  config {
    name: "c" base_path: "/models/c" model_platform: "tensorflow"
    model_version_policy { latest { num_versions: 3 } }
  }
  config {
    name: "d" base_path: "/models/d" model_platform: "tensorflow"
    model_version_policy { all {} }
  }
}
"""
ONE = 'model_config_list {{ config {{ name: "a" base_path: "{}" {} }} }}'
TENSORFLOW = 'model_platform: "tensorflow"'


def read(tmp_path: Path, text: str) -> tuple[ModelConfig, ...]:
    file = tmp_path / "models.config"
    file.write_text(text, encoding="utf-8")
    return read_config(file)


def test_models_policies_and_labels_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD) == (
        ModelConfig("a", Path("/models/a")),
        ModelConfig(
            "b", Path("/models/b"), VersionPolicy(None, frozenset({2, 5})),
            {"stable": 2, "canary": 5},
        ),
        ModelConfig("c", Path("/models/c"), VersionPolicy(3)),
        ModelConfig("d", Path("/models/d"), VersionPolicy(None)),
    )  # fmt: skip


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff" + GOOD) == read(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("improperly formatted", "Error parsing text-format tensorflow.serving.ModelServerConfig"),
        ("", "Invalid ServerModelConfig"),
        ("custom_model_config {}", "Invalid ServerModelConfig"),
        (ONE.format("models/a", TENSORFLOW), "have an absolute path of this machine; got"),
        (ONE.format("gs://models/a", TENSORFLOW), "have an absolute path of this machine; got"),
        (ONE.format("/a", TENSORFLOW).replace('name: "a"', ""), "base_path /a has no name"),
        (ONE.format("/a", ""), "Illegal setting neither"),
        (ONE.format("/a", ""), 'needs model_platform: "tensorflow"'),
        (
            ONE.format("/a", 'model_platform: "torch"'),
            "Model a requests unsupported platform torch",
        ),
        (GOOD.replace('"c"', '"a"'), "Illegal to list model a multiple times"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ServingError) as caught:
        read(tmp_path, text)
    assert caught.value.code.name == "INVALID_ARGUMENT"
    assert message in caught.value.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="cannot be read: No such file"):
        read_config(tmp_path / "missing")
