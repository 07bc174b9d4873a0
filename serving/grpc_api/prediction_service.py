"""`tensorflow.serving.PredictionService` on the models of a registry."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.errors import ServingError, invalid_argument
from serving.grpc_api.calls import method, parser
from serving.grpc_api.intake import Intake
from serving.inference.blame import run_or_blame
from serving.inference.deadline import Deadline
from serving.inference.example_calls import (
    CLASSIFY,
    REGRESS,
    ExampleTask,
    classification_result,
    example_calls,
    example_task,
    regression_result,
)
from serving.inference.runner import Runner
from serving.inference.signature_call import SignatureCall, checked_call
from serving.observer.observer import Note, Observer
from serving.observer.request_ids import HEADER
from serving.servables.loader import DEFAULT_SIGNATURE
from serving.servables.model_messages import Message, metadata_response, model_spec, target_of
from serving.servables.registry import Registry, Target
from serving.servables.versions import Lease
from serving.tensors.tensor_protos import Tensors, cost, from_proto, to_proto
from serving.tensors.tf_examples import serialized_examples

SERVICE: Final = "tensorflow.serving.PredictionService"


@dataclass(frozen=True)
class _Context:
    """What is known of a call beside its request."""

    rpc: grpc.aio.ServicerContext
    note: Note


_Answer = Callable[[Any, _Context], Awaitable[Message]]


@dataclass(frozen=True)
class _Prediction:
    """A `PredictRequest` whose tensors are unpacked."""

    target: Target
    signature_name: str
    inputs: Tensors
    output_filter: tuple[str, ...]


class PredictionService:
    """Predict, Classify, Regress, MultiInference and GetModelMetadata."""

    def __init__(
        self,
        registry: Registry,
        runner: Runner,
        observer: Observer,
        tensor_bytes: int,
        as_content: bool = False,
    ) -> None:
        """Prepares the answers.

        Args:
            registry: the models.
            runner: runs them.
            observer: notes the requests.
            tensor_bytes: most that the tensors of one request may take.
            as_content: answer with `tensor_content` in place of the typed fields.
        """
        self._registry = registry
        self._runner = runner
        self._observer = observer
        self._tensor_bytes = tensor_bytes
        self._as_content = as_content
        self._blame_lane = ThreadPoolExecutor(1, "grpc-blame")

    def handler(self, intake: Intake) -> grpc.GenericRpcHandler:
        """The service, for a server that takes requests in through `intake`."""
        methods = {
            "Predict": (self._parse_predict, self._predict),
            "Classify": (parser(classification_pb2.ClassificationRequest), self._classify),
            "Regress": (parser(regression_pb2.RegressionRequest), self._regress),
            "MultiInference": (parser(inference_pb2.MultiInferenceRequest), self._multi_inference),
        }
        handlers = {
            name: method(intake, parse, self._counted(name, answer), self._refused)
            for name, (parse, answer) in methods.items()
        }
        metadata = parser(get_model_metadata_pb2.GetModelMetadataRequest)
        handlers["GetModelMetadata"] = method(intake, metadata, self._metadata)
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    def _refused(self, code: grpc.StatusCode) -> None:
        self._observer.refused("GRPC", code)

    def _counted(self, api: str, answer: _Answer) -> _Answer:
        async def counted(request: Any, context: grpc.aio.ServicerContext) -> Message:
            with self._observer.request(_target_of(request), api, "GRPC", _id(context)) as note:
                context.set_trailing_metadata(((HEADER, note.request_id),))
                return await answer(request, _Context(context, note))

        return counted

    def _parse_predict(self, content: bytes) -> _Prediction:
        request = parser(predict_pb2.PredictRequest)(content)
        target = target_of(request)
        left = self._tensor_bytes
        inputs: Tensors = {}
        for alias, proto in request.inputs.items():
            inputs[alias] = from_proto(proto, alias, left)
            left -= cost(inputs[alias])
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        return _Prediction(target, name, inputs, tuple(request.output_filter))

    async def _predict(self, asked: _Prediction, context: _Context) -> Message:
        with self._registry.lease(asked.target) as lease:
            if asked.signature_name not in lease.model.signatures:
                message = f'Serving signature key "{asked.signature_name}" not found.'
                raise ServingError(grpc.StatusCode.FAILED_PRECONDITION, message)
            signature = lease.model.signatures[asked.signature_name]
            call = checked_call(lease.model, signature, asked.inputs, asked.output_filter)
            outputs = await self._answered(lease, call, context)
        outputs = {alias: outputs[alias] for alias in asked.output_filter or outputs}
        return predict_pb2.PredictResponse(
            model_spec=model_spec(lease, asked.signature_name),
            outputs={alias: to_proto(value, self._as_content) for alias, value in outputs.items()},
        )

    async def _classify(self, request: Message, context: _Context) -> Message:
        spec, task, fetched, examples = await self._run_one(request, CLASSIFY, context)
        return classification_pb2.ClassificationResponse(
            model_spec=spec, result=classification_result(task, fetched, examples)
        )

    async def _regress(self, request: Message, context: _Context) -> Message:
        spec, task, fetched, examples = await self._run_one(request, REGRESS, context)
        return regression_pb2.RegressionResponse(
            model_spec=spec, result=regression_result(task, fetched, examples)
        )

    async def _run_one(
        self, request: Message, method_name: str, context: _Context
    ) -> tuple[Message, ExampleTask, Tensors, int]:
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        with self._registry.lease(target_of(request)) as lease:
            task = example_task(lease.model, method_name, name)
            fetched, examples = await self._run(lease, [task], request.input, context)
        return model_spec(lease, name), task, fetched, examples

    async def _multi_inference(self, request: Message, context: _Context) -> Message:
        _require_one_model(request.tasks)
        response = inference_pb2.MultiInferenceResponse()
        with self._registry.lease(target_of(request.tasks[0])) as lease:
            names = [one.model_spec.signature_name or DEFAULT_SIGNATURE for one in request.tasks]
            tasks = [
                example_task(lease.model, one.method_name, name)
                for one, name in zip(request.tasks, names, strict=True)
            ]
            fetched, examples = await self._run(lease, tasks, request.input, context)
        for name, task in zip(names, tasks, strict=True):
            result = response.results.add(model_spec=model_spec(lease, name))
            if task.method == CLASSIFY:
                answer = classification_result(task, fetched, examples)
                result.classification_result.CopyFrom(answer)
            else:
                result.regression_result.CopyFrom(regression_result(task, fetched, examples))
        return response

    async def _run(
        self,
        lease: Lease,
        tasks: list[ExampleTask],
        request_input: Message,
        context: _Context,
    ) -> tuple[Tensors, int]:
        examples = serialized_examples(request_input)
        fetched: Tensors = {}
        for call in example_calls(lease.model, tasks, examples):
            fetched |= await self._answered(lease, call, context)
        return fetched, len(examples)

    async def _answered(self, lease: Lease, call: SignatureCall, context: _Context) -> Tensors:
        deadline = Deadline.after(context.rpc.time_remaining())
        call = context.note.observed(lease.version, call)
        fetched = await run_or_blame(self._runner, self._blame_lane, call, deadline)
        return await context.note.answered(fetched)

    async def _metadata(self, request: Message, _: grpc.aio.ServicerContext) -> Message:
        with self._registry.lease(target_of(request)) as lease:
            return metadata_response(lease, request.metadata_field)


def _target_of(request: Any) -> Target:
    """What a request seems to ask for; whether it may is looked at later."""
    if isinstance(request, _Prediction):
        return request.target
    if isinstance(request, inference_pb2.MultiInferenceRequest):
        if not request.tasks:
            return Target("")
        request = request.tasks[0]
    spec = request.model_spec
    return Target(str(spec.name), label=str(spec.version_label) or None)


def _id(context: grpc.aio.ServicerContext) -> str | None:
    given = (value for key, value in context.invocation_metadata() or () if key == HEADER)
    found = next(given, None)
    return found if isinstance(found, str) else None


def _require_one_model(tasks: Message) -> None:
    if not tasks:
        raise invalid_argument("Inference request must have at least one task.")
    if any(not task.model_spec.name for task in tasks):
        raise invalid_argument("Found ModelSpec with an empty model name.")
    if len({task.model_spec.name for task in tasks}) > 1:
        raise invalid_argument(
            "All ModelSpecs in a MultiInferenceRequest must access the same model name."
        )
    names = [task.model_spec.signature_name or DEFAULT_SIGNATURE for task in tasks]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise invalid_argument(f"Duplicate evaluation of signature: {name}")
