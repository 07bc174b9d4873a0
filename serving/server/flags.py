"""The flags of TensorFlow Serving's binary, and some of Graft's own.

A flag that is implemented stands in `_FLAGS` and in `settings_of`. A flag of the official binary
that is not stands in `NOT_IMPLEMENTED` with the reason: the server says it and goes on, as the
official one goes on after a flag that it does not know.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Final, NamedTuple

from models.errors import UsageError
from models.listening import bare_host
from serving.inference.batching_parameters import BatchingParameters, read_batching_parameters
from serving.limits import Limits, flag_of
from serving.request_log.settings import RequestLogSettings
from serving.rest_api.options import RestOptions
from serving.servables.parallelism import parallelism_of
from serving.server import flag_values
from serving.server.monitoring_config import metrics_path
from serving.server.settings import GrpcSettings, ServerSettings

_NOT_YET: Final = "the embedded server does not have it"
_OF_TENSORFLOW: Final = "TensorFlow's own choice is kept"
NOT_IMPLEMENTED: Final = {
    "enable_per_model_batching_parameters": _NOT_YET,
    "enable_signature_method_name_check": "the method of a signature is never checked",
    "flush_filesystem_caches": "the system's own caching is kept",
    "grpc_max_threads": _NOT_YET,
    "mixed_precision": _OF_TENSORFLOW,
    "num_load_threads": "each model loads in a thread of its own",
    "num_tflite_interpreters_per_pool": "TensorFlow Lite models are not served",
    "num_tflite_pools": "TensorFlow Lite models are not served",
    "num_unload_threads": "each model unloads in a thread of its own",
    "per_process_gpu_memory_fraction": "memory of a GPU is taken as it is needed",
    "platform_config_file": _OF_TENSORFLOW,
    "prefer_tflite_model": "TensorFlow Lite models are not served",
    "remove_unused_fields_from_bundle_metagraph": _OF_TENSORFLOW,
    "rest_api_num_threads": "requests are answered on an event loop",
    "saved_model_tags": "the graph tagged `serve` is served",
    "skip_initialize_tpu": "there is no support of TPUs",
    "tensorflow_session_config_file": _OF_TENSORFLOW,
    "thread_pool_factory_config_file": _OF_TENSORFLOW,
    "use_alts_credentials": "there is no support of ALTS",
    "use_tflite_model": "TensorFlow Lite models are not served",
    "xla_cpu_compilation_enabled": _OF_TENSORFLOW,
}
"""Flag of the official binary to the reason why it changes nothing here."""


class _Flag(NamedTuple):
    """A flag that sets no limit; one that is true or false is true where it stands alone."""

    kind: Callable[[str], Any]
    default: Any
    text: str


_FLAGS: Final = {
    "port": _Flag(flag_values.port, 8500, "gRPC port; 0 leaves gRPC out"),
    "rest_api_port": _Flag(flag_values.port, 0, "REST port; 0 leaves REST out"),
    "rest_api_timeout_in_ms": _Flag(
        flag_values.milliseconds, 30_000, "milliseconds from a whole REST request to its answer"
    ),
    "rest_api_enable_cors_support": _Flag(
        flag_values.truth, False, "pages of other sites may use REST"
    ),
    "monitoring_config_file": _Flag(
        flag_values.path,
        None,
        "text of a MonitoringConfig: whether REST has a page of metrics, and where",
    ),
    "grpc_socket_path": _Flag(flag_values.path, None, "Unix socket to answer gRPC on too"),
    "ssl_config_file": _Flag(flag_values.path, None, "text of an SSLConfig: TLS on the gRPC port"),
    "grpc_channel_arguments": _Flag(
        flag_values.channel_arguments,
        (),
        "more settings of gRPC's own, such as grpc.max_connection_age_ms=60000,...",
    ),
    "enable_grpc_healthcheck_service": _Flag(
        flag_values.truth,
        False,
        "answer grpc.health.v1; the empty name is served when every model is available",
    ),
    "enable_serialization_as_tensor_content": _Flag(
        flag_values.truth, False, "answer with tensor_content instead of typed fields"
    ),
    "enable_profiler": _Flag(
        flag_values.truth,
        True,
        "answer TensorBoard's profiler on the gRPC port, for clients on this machine",
    ),
    "model_name": _Flag(str, "default", "name in the API"),
    "model_base_path": _Flag(flag_values.folder_of_versions, None, "holds the versions"),
    "model_config_file": _Flag(
        flag_values.path,
        None,
        "text of a ModelServerConfig: models, instead of the two flags above",
    ),
    "model_config_file_poll_wait_seconds": _Flag(
        flag_values.bounded, 0.0, "time between two looks at that file; 0 looks once"
    ),
    "file_system_poll_wait_seconds": _Flag(
        flag_values.bounded,
        1.0,
        "time between two looks for a new version; 0 looks once, less never",
    ),
    "max_num_load_retries": _Flag(int, 5, "how often a version that does not load is tried again"),
    "load_retry_interval_micros": _Flag(int, 60 * 10**6, "microseconds before it is"),
    "allow_version_labels_for_unavailable_models": _Flag(
        flag_values.truth, False, "a new label may name a version that is not available yet"
    ),
    "enable_model_warmup": _Flag(
        flag_values.truth, True, "a version answers its warm-up requests before it is available"
    ),
    "num_request_iterations_for_warmup": _Flag(int, 1, "how often each of them runs"),
    "enable_batching": _Flag(flag_values.truth, False, "join concurrent requests"),
    "batching_parameters_file": _Flag(
        flag_values.path, None, "text of BatchingParameters: how to join them"
    ),
    "tensorflow_session_parallelism": _Flag(int, 0, "sets both of the next two"),
    "tensorflow_intra_op_parallelism": _Flag(
        int, None, "threads that share the work of one operation: 1 unless set; 0 for one a core"
    ),
    "tensorflow_inter_op_parallelism": _Flag(
        int,
        None,
        "operations that run at a time, in threads that all requests share; 0 for one a core;"
        " unless set, each run has its own",
    ),
    "version": _Flag(flag_values.truth, False, "print the versions and exit"),
    "host": _Flag(bare_host, "127.0.0.1", "address to bind to (Graft's own)"),
    "ports_file": _Flag(
        flag_values.path,
        None,
        "take free ports and write them here as JSON once ready (Graft's own)",
    ),
    "request_log": _Flag(
        flag_values.path, None, "folder to log requests in; without it none is (Graft's)"
    ),
    "request_log_sample_rate": _Flag(
        flag_values.bounded,
        RequestLogSettings.sample_rate,
        "share of the requests that are written down whole, 0 to 1; errors always are",
    ),
    "request_log_images": _Flag(
        flag_values.truth, RequestLogSettings.keep_images, "keep the bytes of those images too"
    ),
    "request_log_days": _Flag(
        flag_values.bounded,
        RequestLogSettings.keep_days,
        "after so many days a file of the log is deleted",
    ),
    "request_log_mib": _Flag(
        int,
        RequestLogSettings.keep_bytes >> 20,
        "MiB that the log may take of the disk, images included",
    ),
}


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """Reads the flags, and says on standard error which ones change nothing.

    A flag with a value that cannot be, or no model to serve, ends the program with code 2.
    """
    parser = _parser()
    flags, unknown = parser.parse_known_args(arguments)
    for argument in unknown:
        name = argument.removeprefix("--").partition("=")[0]
        if name in NOT_IMPLEMENTED:
            print(f"--{name} changes nothing: {NOT_IMPLEMENTED[name]}", file=sys.stderr)
        else:
            print(f"unknown argument: {argument}", file=sys.stderr)
    if not (flags.version or flags.model_base_path or flags.model_config_file):
        parser.error("what is to be served? Give --model_base_path or --model_config_file.")
    return flags


def settings_of(flags: argparse.Namespace) -> ServerSettings:
    """The settings that the flags ask for.

    Raises:
        UsageError: flags contradict each other, or a file that they name is wrong.
    """
    if flags.model_config_file is None and not flags.model_name:
        raise UsageError("--model_name is empty, expected the name that requests ask for.")
    any_free = flags.ports_file is not None
    if flags.port and flags.port == flags.rest_api_port and not any_free:
        raise UsageError(f"--port and --rest_api_port are both {flags.port}; give them two ports.")
    return ServerSettings(
        model_name=flags.model_name,
        model_base_path=flags.model_base_path,
        host=flags.host,
        port=0 if any_free else flags.port or None,
        rest_api_port=0 if any_free else flags.rest_api_port or None,
        poll_seconds=flags.file_system_poll_wait_seconds,
        model_config_file=flags.model_config_file,
        config_poll_seconds=flags.model_config_file_poll_wait_seconds,
        load_retries=flags.max_num_load_retries,
        load_retry_seconds=flags.load_retry_interval_micros / 1e6,
        allow_labels_ahead=flags.allow_version_labels_for_unavailable_models,
        warm_ups=flags.num_request_iterations_for_warmup if flags.enable_model_warmup else 0,
        batching=_batching_of(flags),
        parallelism=parallelism_of(
            flags.tensorflow_session_parallelism,
            flags.tensorflow_intra_op_parallelism,
            flags.tensorflow_inter_op_parallelism,
        ),
        limits=_limits_of(flags),
        grpc=GrpcSettings(
            socket_path=flags.grpc_socket_path,
            ssl_config_file=flags.ssl_config_file,
            health_service=flags.enable_grpc_healthcheck_service,
            tensor_content=flags.enable_serialization_as_tensor_content,
            profiler=flags.enable_profiler,
            channel_arguments=flags.grpc_channel_arguments,
        ),
        rest=RestOptions(
            timeout_seconds=flags.rest_api_timeout_in_ms / 1000,
            cors=flags.rest_api_enable_cors_support,
            metrics_path=metrics_path(flags.monitoring_config_file),
        ),
        request_log=_request_log_of(flags),
    )


def _request_log_of(flags: argparse.Namespace) -> RequestLogSettings | None:
    if flags.request_log is None:
        return None
    return RequestLogSettings(
        folder=flags.request_log,
        sample_rate=flags.request_log_sample_rate,
        keep_images=flags.request_log_images,
        keep_days=flags.request_log_days,
        keep_bytes=flags.request_log_mib * 2**20,
    )


def _batching_of(flags: argparse.Namespace) -> BatchingParameters | None:
    if flags.batching_parameters_file is None:
        return BatchingParameters() if flags.enable_batching else None
    if not flags.enable_batching:
        raise UsageError("--batching_parameters_file is given without --enable_batching.")
    return read_batching_parameters(flags.batching_parameters_file)


def _limits_of(flags: argparse.Namespace) -> Limits:
    try:
        return Limits(**{limit.name: getattr(flags, flag_of(limit)) for limit in fields(Limits)})
    except ValueError as error:
        raise UsageError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="graft-model-server",
        description="Serves SavedModels with TensorFlow Serving's API and flags.",
        allow_abbrev=False,
    )
    for name, (kind, default, text) in _FLAGS.items():
        # As in TensorFlow's own parser.
        alone: dict[str, Any] = {"nargs": "?", "const": True, "metavar": "BOOL"}
        more = alone if kind is flag_values.truth else {}
        parser.add_argument(f"--{name}", type=kind, default=default, help=text, **more)
    parser.add_argument(
        "--stop_at_eof",
        action="store_true",
        help="stop when standard input ends, so as not to outlive a parent process (Graft's own)",
    )
    for limit in fields(Limits):
        parser.add_argument(
            f"--{flag_of(limit)}",
            type=int if isinstance(limit.default, int) else flag_values.bounded,
            default=limit.default,
            help=f"{limit.name}, {limit.default} unless set (Graft's own)",
        )
    return parser
