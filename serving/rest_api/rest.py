"""TensorFlow Serving's REST API, as an ASGI application.

Routes, status codes and messages: https://www.tensorflow.org/tfx/serving/api_rest.
"""

import re
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import grpc
from google.protobuf.json_format import MessageToJson
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.errors import invalid_argument
from serving.inference.blame import run_or_blame
from serving.inference.deadline import Deadline
from serving.inference.runner import Runner
from serving.limits import Limits
from serving.observer.observer import Note, Observer
from serving.observer.request_ids import HEADER
from serving.rest_api.app import json_response
from serving.rest_api.bodies import Body, BodyStore, Headers
from serving.rest_api.methods import Asked, read
from serving.rest_api.slow_lane import SlowLane, in_time
from serving.servables.loader import LoadedModel
from serving.servables.model_messages import Message, model_spec, signature_map, status_response
from serving.servables.registry import Registry, Target
from serving.tensors.json_document import parse_document

_VERSION_OR_LABEL: Final = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_INFER: Final = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_VERSION_OR_LABEL}:(?P<method>classify|regress|predict)",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_VERSION_OR_LABEL}(?P<metadata>/metadata)?", re.IGNORECASE
)
_LARGEST_VERSION: Final = 2**63 - 1
_LONGEST_ECHO: Final = 500
_FEW_VALUES: Final = 20_000


class RestApi:
    """Answers requests below `/v1/`."""

    def __init__(
        self,
        registry: Registry,
        runner: Runner,
        limits: Limits,
        timeout_seconds: float,
        observer: Observer,
    ) -> None:
        """Prepares the API.

        Args:
            registry: the models.
            runner: runs them.
            limits: what a request may take.
            timeout_seconds: time from a whole body to its answer.
            observer: notes the requests.
        """
        self._observer = observer
        self._registry = registry
        self._runner = runner
        self._limits = limits
        self._timeout = timeout_seconds
        self._bodies = BodyStore(limits)
        self._slow_lane = SlowLane()
        self._blame_lane = ThreadPoolExecutor(1, "rest-blame")

    def close(self) -> None:
        """Ends its threads."""
        self._slow_lane.close()
        self._blame_lane.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI); an error is an exception, for the application around it."""
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        headers = dict(scope["headers"])
        if method == "POST" and (match := _INFER.fullmatch(path)):
            response = await self._inferred(match, headers, receive)
        else:
            response = self._answer(method, path, headers)
        await response(scope, receive, send)

    async def _inferred(self, match: re.Match[str], headers: Headers, receive: Receive) -> Response:
        name, label = urllib.parse.unquote(match["name"]), match["label"]
        asked = Target(name, label=None if label is None else urllib.parse.unquote(label))
        method = match["method"].lower()
        given = headers.get(HEADER.encode(), b"").decode("latin-1")
        with self._observer.request(asked, method.capitalize(), "REST", given) as note:
            target = _target(match)
            # An unknown model is told before anything is read.
            with self._registry.lease(target):
                pass
            with Body(self._bodies, headers) as body:
                await body.read(receive)
                return await self._infer(method, target, body, note)

    def _answer(self, method: str, path: str, headers: Headers) -> Response:
        if method == "GET" and (match := _STATUS.fullmatch(path)):
            if match["name"] is None:
                raise invalid_argument("Missing model name in request.")
            target = _target(match)
            return self._metadata(target) if match["metadata"] else self._status(target)
        if not path.lower().startswith("/v1/"):
            raise HTTPException(404, f"There is nothing at {path[:_LONGEST_ECHO]}")
        if method == "OPTIONS" and _has_origin(headers):
            return json_response(200, {})
        if method == "POST":
            self._observer.refused("REST", grpc.StatusCode.INVALID_ARGUMENT)
        raise invalid_argument(f"Malformed request: {method} {path[:_LONGEST_ECHO]}")

    async def _infer(self, method: str, target: Target, body: Body, note: Note) -> Response:
        deadline = Deadline.after(self._timeout)

        def asked_by(model: LoadedModel) -> Asked:
            return read(method, model, parse_document(body.take(), self._limits))

        with self._registry.lease(target) as lease:
            reading = partial(asked_by, lease.model)
            asked = await self._slow_lane.do(reading, deadline) if body.is_slow else reading()
            call = note.observed(lease.version, asked.call)
            running = run_or_blame(self._runner, self._blame_lane, call, deadline)
            fetched = await note.answered(await in_time(running, deadline))
        is_slow = sum(value.size for value in fetched.values()) > _FEW_VALUES
        answering = partial(asked.answer, fetched)
        answer = await self._slow_lane.do(answering, deadline) if is_slow else answering()
        return json_response(200, answer, {HEADER: note.request_id})

    def _status(self, target: Target) -> Response:
        statuses = status_response(self._registry.statuses(target))
        return json_response(200, _to_json(statuses, proto_names=False).encode("utf-8"))

    def _metadata(self, target: Target) -> Response:
        with self._registry.lease(target) as lease:
            spec, signatures = model_spec(lease), signature_map(lease)
        # The map would be an Any inside the response; TensorFlow Serving writes it out plainly too.
        text = (
            f'{{\n"model_spec":{_to_json(spec, proto_names=True)},\n"metadata": '
            f'{{"signature_def": {_to_json(signatures, proto_names=True)}}}\n}}\n'
        )
        return json_response(200, text.encode("utf-8"))


def _target(match: re.Match[str]) -> Target:
    version, label = match["version"], match["label"]
    if version is not None and (len(version) > 20 or int(version) > _LARGEST_VERSION):
        raise invalid_argument(f"Failed to convert version: {version[:50]} to numeric.")
    return Target(
        urllib.parse.unquote(match["name"]),
        version=None if version is None else int(version),
        label=None if label is None else urllib.parse.unquote(label),
    )


def _has_origin(headers: Headers) -> bool:
    return headers.get(b"origin", b"").startswith((b"http://", b"https://"))


def _to_json(message: Message, proto_names: bool) -> str:
    return str(
        MessageToJson(
            message,
            indent=1,
            always_print_fields_with_no_presence=True,
            preserving_proto_field_name=proto_names,
        )
    )
