"""Moves versions and labels of one model on a server, through its official API.

No TensorFlow is imported: what goes over gRPC are two messages, and the rest is REST.
"""

import http.client
import json
import time
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

import grpc
from google.protobuf import text_format, wrappers_pb2
from tensorflow_serving.config import model_server_config_pb2

from models.errors import GraftError
from serving.gateway.settings import Server

_RELOAD: Final = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"
_TIMEOUT: Final = 10.0
_LOOK_SECONDS: Final = 0.2
_LOOK_ANEW_SECONDS: Final = 2.0
"""By then a server has looked for what it was told of, as it looks every second."""
_ON_THE_WAY: Final = ("START", "LOADING")
_AWAY: Final = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
)


class NotLoadedError(GraftError):
    """Versions do not become available on a server.

    Attributes:
        versions: which.
    """

    def __init__(self, words: str, versions: Collection[int]) -> None:
        """Takes the words, and the versions that are missing."""
        super().__init__(words)
        self.versions = frozenset(versions)


class UnreachableError(GraftError):
    """A server does not answer."""


class RefusedError(GraftError):
    """A server answers that it does not take a configuration."""


def model_config(
    model_name: str, base_path: str, versions: set[int], labels: Mapping[str, int]
) -> model_server_config_pb2.ModelServerConfig:
    """The official configuration of a server that has one model.

    Args:
        model_name: in the API.
        base_path: directory of its versions, as the server sees it.
        versions: to serve.
        labels: to version.
    """
    config = model_server_config_pb2.ModelServerConfig()
    model = config.model_config_list.config.add()
    model.name, model.base_path, model.model_platform = model_name, base_path, "tensorflow"
    model.model_version_policy.specific.versions.extend(sorted(versions))
    for label, version in sorted(labels.items()):
        model.version_labels[label] = version
    return config


def config_text(config: model_server_config_pb2.ModelServerConfig) -> str:
    """`config` as the file that `--model_config_file` takes."""
    return str(text_format.MessageToString(config))


class ModelOnServer:
    """One model on one server."""

    def __init__(self, server: Server, model_name: str, base_path: str) -> None:
        """Takes where it is; `base_path` is as the server sees it."""
        self._server = server
        self._name = model_name
        self._base_path = base_path

    def available(self) -> set[int]:
        """The versions that answer.

        Raises:
            UnreachableError: the server cannot be reached.
        """
        return {v for v, (state, _) in self._states().items() if state == "AVAILABLE"}

    def labelled(self, label: str) -> int | None:
        """The version that answers to `label`, None if none does.

        Raises:
            UnreachableError: the server cannot be reached.
        """
        status, answer = self._get(f"/v1/models/{self._name}/labels/{label}/metadata")
        if status != http.client.OK:
            return None
        return int(answer["model_spec"]["version"])

    def settle(
        self,
        labels: Mapping[str, int],
        load_seconds: float,
        notice_seconds: Mapping[int, float] = MappingProxyType({}),
        waiting: Callable[[str], None] = lambda _: None,
    ) -> bool:
        """Has the server serve the versions of `labels` alone, each behind its label.

        Does nothing where that is so already, and may be interrupted and called again at any point.
        A label that answers now answers throughout.

        Args:
            labels: to version.
            load_seconds: for the versions to be loaded.
            notice_seconds: of these, for the server to begin with a version; all of them where it
                is not named.
            waiting: told in words, once, that the server does not know of a version so far.

        Returns:
            Whether anything had to be done.

        Raises:
            NotLoadedError: a version does not become available.
            UnreachableError: the server cannot be reached.
            RefusedError: it does not take the versions.
        """
        wanted, now = set(labels.values()), self.available()
        held = {label: v for label in labels if (v := self.labelled(label)) in now}
        if now == wanted and held == dict(labels):
            return False
        if not wanted <= now:
            kept = {label: v for label, v in held.items() if v is not None}
            # Graft's own server answers when the versions are loaded; the official one at once.
            self._reload(wanted | now, kept, still_fine=[grpc.StatusCode.DEADLINE_EXCEEDED])
            self._wait(wanted, load_seconds, notice_seconds, waiting)
        self._reload(wanted | now, labels)
        if now - wanted:
            self._reload(wanted, labels)
        return True

    def _reload(
        self,
        versions: set[int],
        labels: Mapping[str, int],
        still_fine: Collection[grpc.StatusCode] = (),
    ) -> None:
        config = model_config(self._name, self._base_path, versions, labels)
        # ReloadConfigRequest has one field, numbered 1 as that of BytesValue is.
        request = wrappers_pb2.BytesValue(value=config.SerializeToString())
        with grpc.insecure_channel(
            self._server.grpc, options=[("grpc.enable_http_proxy", 0)]
        ) as channel:
            try:
                call = channel.unary_unary(
                    _RELOAD, request_serializer=wrappers_pb2.BytesValue.SerializeToString
                )
                call(request, timeout=_TIMEOUT)
            except grpc.RpcError as error:
                if error.code() in still_fine:
                    return
                kind = UnreachableError if error.code() in _AWAY else RefusedError
                raise kind(
                    f"The model server at {self._server.grpc} (gRPC) does not take the versions"
                    f" {sorted(versions)} of {self._name}: {error.details()}"
                    f" ({error.code().name})."
                ) from error

    def _wait(
        self,
        wanted: set[int],
        seconds: float,
        notice_seconds: Mapping[int, float],
        waiting: Callable[[str], None],
    ) -> None:
        begun, is_told = time.monotonic(), False
        while True:
            states = self._states()
            for version in sorted(wanted):
                state, words = states.get(version, ("", ""))
                if state == "END" and words:
                    raise NotLoadedError(f"Version {version} does not load: {words}", {version})
            missing = {v for v in wanted if states.get(v, ("", ""))[0] != "AVAILABLE"}
            if not missing:
                return
            waited = time.monotonic() - begun
            unknown = sorted(missing - states.keys())
            if unknown and waited > _LOOK_ANEW_SECONDS and not is_told:
                is_told = True
                waiting(
                    f"The server at {self._server.rest} does not know of version {unknown[0]} in"
                    f" {self._base_path} yet; it is waited for, {seconds:g} s in all."
                )
            for version in sorted(missing):
                is_noticed = states.get(version, ("", ""))[0] in _ON_THE_WAY
                patience = seconds if is_noticed else notice_seconds.get(version, seconds)
                if waited > patience:
                    raise NotLoadedError(
                        f"Version {version} was not available after {patience:g} s. Does it lie in"
                        f" {self._base_path} of the server at {self._server.rest}?",
                        {version},
                    )
            time.sleep(_LOOK_SECONDS)

    def _states(self) -> dict[int, tuple[str, str]]:
        """State and error of each version that the server knows of."""
        status, answer = self._get(f"/v1/models/{self._name}")
        if status == http.client.NOT_FOUND:
            return {}
        return {
            int(entry["version"]): (entry["state"], entry["status"].get("error_message", ""))
            for entry in answer.get("model_version_status", [])
        }

    def _get(self, path: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self._server.rest, timeout=_TIMEOUT)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise UnreachableError(
                f"No model server answers at {self._server.rest} (REST): {error}."
            ) from error
        finally:
            connection.close()
