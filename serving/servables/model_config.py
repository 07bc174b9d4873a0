"""Which models to serve, and which of their versions: TensorFlow Serving's `ModelServerConfig`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.errors import ServingError, invalid_argument

_PLATFORM: Final = "tensorflow"
_TYPE: Final = "tensorflow.serving.ModelServerConfig"


@dataclass(frozen=True)
class VersionPolicy:
    """Which versions of those that are there shall be served.

    Attributes:
        latest: how many, counted from the highest number; None for all.
        specific: only these numbers; None for any.
    """

    latest: int | None = 1
    specific: frozenset[int] | None = None

    def candidates(self, found: Iterable[int]) -> list[int]:
        """The numbers that may be served, the highest first; `latest` is not applied yet."""
        allowed = (n for n in found if self.specific is None or n in self.specific)
        return sorted(allowed, reverse=True)


@dataclass(frozen=True)
class ModelConfig:
    """One model.

    Attributes:
        name: in the API.
        base_path: directory of version directories; it may appear later.
        policy: which versions to serve.
        labels: name to version, such as `stable` to 3.
    """

    name: str
    base_path: Path
    policy: VersionPolicy = VersionPolicy()
    labels: Mapping[str, int] = field(default_factory=dict)


def read_config(file: Path) -> tuple[ModelConfig, ...]:
    """Reads a `--model_config_file`.

    Raises:
        ServingError: it cannot be read, is no text of a `ModelServerConfig`, or asks for what
            cannot be.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise ServingError(grpc.StatusCode.NOT_FOUND, message) from error
    except UnicodeDecodeError as error:
        raise invalid_argument(f"Error parsing text-format {_TYPE}: {file} is no text") from error
    proto = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(text, proto)
    except text_format.ParseError as error:
        raise invalid_argument(f"Error parsing text-format {_TYPE}: {file}:{error}") from error
    return configs_of(proto)


def configs_of(proto: Any) -> tuple[ModelConfig, ...]:
    """The models of a `ModelServerConfig`.

    Raises:
        ServingError: it has no `model_config_list`, names a model twice or not at all, or has a
            path, a platform or a number that cannot be.
    """
    if proto.WhichOneof("config") != "model_config_list":
        raise invalid_argument("Invalid ServerModelConfig: expected a model_config_list.")
    models = proto.model_config_list.config
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise invalid_argument(f"Illegal to list model {name} multiple times in config list")
    return tuple(_config_of(model) for model in models)


def _config_of(model: Any) -> ModelConfig:
    if not model.name:
        raise invalid_argument(
            f"The model with the base_path {model.base_path} has no name, so that no request could"
            " ask for it."
        )
    base_path = Path(model.base_path)
    if not base_path.is_absolute():
        raise invalid_argument(
            f"Expected model {model.name} to have an absolute path of this machine;"
            f" got base_path()={model.base_path}"
        )
    _check_platform(model)
    policy = _policy_of(model.model_version_policy)
    return ModelConfig(model.name, base_path, policy, dict(model.version_labels))


def _check_platform(model: Any) -> None:
    if not model.model_platform and not model.model_type:
        raise invalid_argument(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor"
            " ModelServerConfig::model_platform;"
            f' model {model.name} needs model_platform: "{_PLATFORM}"'
        )
    is_typed = model.model_type == model_server_config_pb2.ModelType.TENSORFLOW
    platform = model.model_platform or (_PLATFORM if is_typed else "other")
    if platform != _PLATFORM:
        raise invalid_argument(f"Model {model.name} requests unsupported platform {platform}")


def _policy_of(policy: Any) -> VersionPolicy:
    match policy.WhichOneof("policy_choice"):
        case "all":
            return VersionPolicy(latest=None)
        case "specific":
            return VersionPolicy(latest=None, specific=frozenset(policy.specific.versions))
        case _:
            return VersionPolicy(latest=max(policy.latest.num_versions, 1))
