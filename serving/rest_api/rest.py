"""TensorFlow Serving's REST API, as an ASGI application.

Routes, status codes and messages: https://www.tensorflow.org/tfx/serving/api_rest.
"""

import asyncio
import re
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Final, TypeVar

import grpc
from google.protobuf.json_format import MessageToJson
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.errors import ServingError, invalid_argument
from serving.inference.blame import blamed, may_be_blamed
from serving.inference.deadline import Deadline
from serving.inference.runner import Runner
from serving.limits import Limits
from serving.rest_api.app import json_response
from serving.rest_api.bodies import Body, BodyStore, Headers
from serving.servables.loader import DEFAULT_SIGNATURE
from serving.servables.model_messages import Message, model_spec, signature_map, status_response
from serving.servables.registry import Registry, Target
from serving.tensors.json_document import parse_document
from serving.tensors.json_inputs import inputs_from_json
from serving.tensors.json_outputs import outputs_to_json
from serving.tensors.tensor_protos import SignatureDef, Tensors

_VERSION_OR_LABEL: Final = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_PREDICT: Final = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_VERSION_OR_LABEL}:(?P<method>classify|regress|predict)",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_VERSION_OR_LABEL}(?P<metadata>/metadata)?", re.IGNORECASE
)
_LARGEST_VERSION: Final = 2**63 - 1
_LONGEST_ECHO: Final = 500
_FEW_VALUES: Final = 20_000

_T = TypeVar("_T")


class RestApi:
    """Answers requests below `/v1/`."""

    def __init__(
        self, registry: Registry, runner: Runner, limits: Limits, timeout_seconds: float
    ) -> None:
        """Prepares the API.

        Args:
            registry: the models.
            runner: runs them.
            limits: what a request may take.
            timeout_seconds: time from a whole body to its answer.
        """
        self._registry = registry
        self._runner = runner
        self._limits = limits
        self._timeout = timeout_seconds
        self._bodies = BodyStore(limits)
        # One thread: large bodies are parsed one after the other, so that only one is in memory.
        self._slow_lane = ThreadPoolExecutor(1, "rest-json")
        self._blame_lane = ThreadPoolExecutor(1, "rest-blame")

    def close(self) -> None:
        """Ends its threads."""
        self._slow_lane.shutdown(wait=False, cancel_futures=True)
        self._blame_lane.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI); an error is an exception, for the application around it."""
        response = await self._answer(scope, receive)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        if method == "POST" and (match := _PREDICT.fullmatch(path)):
            target = _target(match)
            # An unknown model is told before anything is read.
            with self._registry.lease(target):
                pass
            with Body(self._bodies, dict(scope["headers"])) as body:
                await body.read(receive)
                return await self._predict(target, body)
        if method == "GET" and (match := _STATUS.fullmatch(path)):
            if match["name"] is None:
                raise invalid_argument("Missing model name in request.")
            target = _target(match)
            return self._metadata(target) if match["metadata"] else self._status(target)
        if not path.lower().startswith("/v1/"):
            raise HTTPException(404, f"There is nothing at {path[:_LONGEST_ECHO]}")
        if method == "OPTIONS" and _has_origin(dict(scope["headers"])):
            return json_response(200, {})
        raise invalid_argument(f"Malformed request: {method} {path[:_LONGEST_ECHO]}")

    async def _predict(self, target: Target, body: Body) -> Response:
        deadline = Deadline.after(self._timeout)
        with ExitStack() as held:
            lease = held.enter_context(self._registry.lease(target))
            read = partial(_read_prediction, body, lease.model.signatures, self._limits)
            name, inputs, by_row = await self._here_or_aside(body.is_slow, read, deadline)
            future = self._runner.submit(lease, name, inputs, deadline=deadline)
            # The version is held until it runs no more, even if nobody waits any longer.
            release = held.pop_all().close
            future.add_done_callback(lambda _: release())
        try:
            outputs = await _in_time(asyncio.wrap_future(future), deadline)
        except ServingError as error:
            if not may_be_blamed(error, inputs):
                raise
            run = partial(self._run_again, Target(target.name, lease.version), name, deadline)
            loop = asyncio.get_running_loop()
            search = loop.run_in_executor(self._blame_lane, blamed, error, inputs, run)
            raise await _in_time(search, deadline) from error
        is_slow = sum(value.size for value in outputs.values()) > _FEW_VALUES
        write = partial(outputs_to_json, outputs, by_row)
        return json_response(200, await self._here_or_aside(is_slow, write, deadline))

    async def _here_or_aside(self, is_slow: bool, work: Callable[[], _T], deadline: Deadline) -> _T:
        """Does what is slow in a thread, so that other requests go on."""
        if not is_slow:
            return work()
        return await _in_time(
            asyncio.get_running_loop().run_in_executor(self._slow_lane, work), deadline
        )

    def _run_again(self, target: Target, name: str, deadline: Deadline, inputs: Tensors) -> None:
        with self._registry.lease(target) as lease:
            self._runner.submit(lease, name, inputs, deadline=deadline).result()

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


def _read_prediction(
    body: Body, signatures: Mapping[str, SignatureDef], limits: Limits
) -> tuple[str, Tensors, bool]:
    """The name of the signature, its inputs, and whether the answer is by row."""
    document = parse_document(body.take(), limits)
    name = signature_name(document)
    signature = signatures.get(name)
    if signature is None:
        raise invalid_argument(f'Serving signature name: "{name}" not found in signature def')
    return name, *inputs_from_json(document, signature, limits)


def signature_name(document: Mapping[str, object]) -> str:
    """The signature that a request asks for."""
    name = document.get("signature_name", DEFAULT_SIGNATURE)
    if not isinstance(name, str):
        raise invalid_argument("'signature_name' key must be a string value.")
    return name or DEFAULT_SIGNATURE


async def _in_time(waiting: Awaitable[_T], deadline: Deadline) -> _T:
    try:
        return await asyncio.wait_for(waiting, deadline.remaining())
    except asyncio.TimeoutError:
        message = "The answer was not there in time (--rest_api_timeout_in_ms)."
        raise ServingError(grpc.StatusCode.DEADLINE_EXCEEDED, message) from None


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
