"""Runs Beam's stages on worker pools, which may be on other machines.

Beam's own runner takes one address for all its workers, and waits for ever for one that died. Here
each worker is of another pool, in turn, and the run ends with a message where one is lost. Nothing
is ever run in the process of the run instead.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Any, Final

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.portability.api import (
    beam_fn_api_pb2,
    beam_fn_api_pb2_grpc,
    beam_runner_api_pb2,
)
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.worker.channel_factory import GRPCChannelFactory
from apache_beam.transforms.environments import ExternalEnvironment, python_sdk_capabilities
from typing_extensions import override

from models.errors import GraftError
from models.listening import bare_host, url_host

_URN: Final = "graft:env:worker_pools:v1"
_REACH_SECONDS: Final = 10.0
_START_SECONDS: Final = 120.0
"""For a worker to import what it needs and to call back."""
_LOOK_SECONDS: Final = 5.0
"""Between two looks at whether a pool is still there."""
_ADVICE: Final = "Each needs Graft's environment, the data and the workspace at the same paths"


class WorkerPoolOptions(PipelineOptions):
    """`--worker_pool=HOST:PORT`, once for each pool."""

    @classmethod
    def _add_argparse_args(cls, parser: Any) -> None:
        parser.add_argument("--worker_pool", dest="worker_pools", action="append")


class WorkerPoolRunner(FnApiRunner):
    """Runs a pipeline on the pools that `--worker_pool` names, a worker on each."""

    @override
    def run_pipeline(self, pipeline: beam.Pipeline, options: PipelineOptions) -> Any:
        """See the base class.

        Raises:
            GraftError: a pool cannot be reached, a worker was lost, or failed.
        """
        addresses = options.view_as(WorkerPoolOptions).worker_pools or []
        if not addresses:
            raise GraftError("WorkerPoolRunner was given no --worker_pool=HOST:PORT.")
        for address in addresses:
            _own_address(address)
        direct = options.view_as(DirectOptions)
        direct.direct_num_workers = len(addresses)
        # Another mode would put its own environment in the place of this one.
        direct.direct_running_mode = "in_memory"
        self._default_environment = _Pools(
            ",".join(addresses), capabilities=python_sdk_capabilities()
        )
        try:
            return super().run_pipeline(pipeline, options)
        except RuntimeError as error:  # with the worker's traceback as its text
            last = str(error).strip().rpartition("\n")[2]
            raise GraftError(f"A Beam worker failed: {last}. {_ADVICE}.") from error


class _Pools(ExternalEnvironment):
    """The environment of all stages: Beam's external one, with a comma between addresses."""

    @override
    def to_runner_api_parameter(self, context: Any) -> tuple[str, Any]:
        return _URN, super().to_runner_api_parameter(context)[1]


class _Connection(worker_handlers.ControlConnection):
    """What a worker is told and answers; once it is lost, nobody waits for an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: GraftError | None = None

    @property
    def begun(self) -> bool:
        """Whether the worker has called back."""
        return self._input is not None

    @override
    def push(self, req: Any) -> Any:
        future = super().push(req)
        if self.lost:
            self.fail(self.lost)
        return future

    def fail(self, error: GraftError) -> None:
        """Ends the wait of everybody who waits for an answer, now and later."""
        self.lost = error
        for name, future in list(self._futures_by_id.items()):
            future.abort(error)
            # Whoever waits for data instead looks whether there is an answer.
            future.set(beam_fn_api_pb2.InstructionResponse(instruction_id=name, error=str(error)))

    @override
    def _read(self) -> None:
        with suppress(grpc.RpcError):
            super()._read()
        self.fail(GraftError(f"A Beam worker went away in the midst of its work. {_ADVICE}."))


@worker_handlers.WorkerHandler.register_environment(_URN, beam_runner_api_pb2.ExternalPayload)
class _PoolWorker(worker_handlers.ExternalWorkerHandler):
    """One worker, of the pool whose turn it is."""

    def __init__(self, payload: Any, state: Any, provision_info: Any, grpc_server: Any) -> None:
        # The base class asks for it before it knows of any pool.
        self._own_host = ""
        super().__init__(payload, state, provision_info, grpc_server)
        addresses = payload.endpoint.url.split(",")
        self._pool = addresses[int(self.worker_id.rpartition("_")[2]) % len(addresses)]
        self._own_host = _own_address(self._pool)
        self.control_address = self.port_from_worker(grpc_server.control_port)
        self._external_payload = beam_runner_api_pb2.ExternalPayload()
        self._external_payload.endpoint.url = self._pool
        self._closed = threading.Event()
        self.control_conn = _Connection()
        grpc_server.control_handler._connections_by_worker_id[self.worker_id] = self.control_conn

    @override
    def host_from_worker(self) -> str:
        return self._own_host

    @override
    def start_worker(self) -> None:
        super().start_worker()
        threading.Thread(target=self._watch, daemon=True).start()

    @override
    def stop_worker(self) -> None:
        self._closed.set()
        request = beam_fn_api_pb2.StopWorkerRequest(worker_id=self.worker_id)
        channel = GRPCChannelFactory.insecure_channel(self._pool)
        beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel).StopWorker(request)

    def _watch(self) -> None:
        """Looks whether the worker comes and its pool stays; a machine may vanish in silence."""
        latest = time.monotonic() + _START_SECONDS
        while not self._closed.wait(_LOOK_SECONDS):
            try:
                _own_address(self._pool)
            except GraftError as error:
                self.control_conn.fail(error)
                return
            if not self.control_conn.begun and time.monotonic() > latest:
                self.control_conn.fail(
                    GraftError(
                        f"The worker of the pool at {self._pool} did not reach this machine at "
                        f"{self._own_host} within {_START_SECONDS:.0f} s. Its own output says why."
                    )
                )
                return


def _own_address(pool: str) -> str:
    """The address of this machine as a pool sees it.

    Raises:
        GraftError: nothing listens there.
    """
    host, _, port = pool.rpartition(":")
    try:
        with socket.create_connection((bare_host(host), int(port)), _REACH_SECONDS) as found:
            own = str(found.getsockname()[0])
    except OSError as error:
        raise GraftError(
            f"beam.workers: no worker pool answers at {pool} ({error.strerror or error}). Start it "
            "there with `python -m apache_beam.runners.worker.worker_pool_main --service_port "
            f"{port}`, in Graft's environment."
        ) from None
    return url_host(own)
