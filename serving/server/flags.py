"""The flags of TensorFlow Serving's binary, and some of Graft's own.

A flag that is implemented is added in `_parser` and in `settings_of`. A flag of the official binary
that is not stands in `NOT_IMPLEMENTED` with the reason: the server says it and goes on, as the
official one goes on after a flag that it does not know.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Final

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
    _add_places(parser)
    _add_models(parser)
    _add_batching(parser)
    _add_parallelism(parser)
    _add_own(parser)
    _add_request_log(parser)
    _add_limits(parser)
    return parser


def _add_places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=flag_values.port, default=8500, help="gRPC port; 0 leaves gRPC out"
    )
    parser.add_argument(
        "--rest_api_port", type=flag_values.port, default=0, help="REST port; 0 leaves REST out"
    )
    parser.add_argument(
        "--rest_api_timeout_in_ms",
        type=flag_values.milliseconds,
        default=30_000,
        help="milliseconds from a whole REST request to its answer",
    )
    _add_truth(
        parser,
        "rest_api_enable_cors_support",
        default=False,
        text="pages of other sites may use REST",
    )
    parser.add_argument(
        "--monitoring_config_file",
        type=flag_values.path,
        help="text of a MonitoringConfig: whether REST has a page of metrics, and where",
    )
    parser.add_argument(
        "--grpc_socket_path", type=flag_values.path, help="Unix socket to answer gRPC on too"
    )
    parser.add_argument(
        "--ssl_config_file",
        type=flag_values.path,
        help="text of an SSLConfig: TLS on the gRPC port",
    )
    parser.add_argument(
        "--grpc_channel_arguments",
        type=flag_values.channel_arguments,
        default=(),
        help="more settings of gRPC's own, such as grpc.max_connection_age_ms=60000,...",
    )
    _add_truth(
        parser,
        "enable_grpc_healthcheck_service",
        default=False,
        text="answer grpc.health.v1; the empty name is served when every model is available",
    )
    _add_truth(
        parser,
        "enable_serialization_as_tensor_content",
        default=False,
        text="answer with tensor_content instead of typed fields",
    )
    _add_truth(
        parser,
        "enable_profiler",
        default=True,
        text="answer TensorBoard's profiler on the gRPC port, for clients on this machine",
    )


def _add_batching(parser: argparse.ArgumentParser) -> None:
    _add_truth(parser, "enable_batching", default=False, text="join concurrent requests")
    parser.add_argument(
        "--batching_parameters_file",
        type=flag_values.path,
        help="text of BatchingParameters: how to join them",
    )


def _add_parallelism(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tensorflow_session_parallelism",
        type=int,
        default=0,
        help="sets both of the next two",
    )
    parser.add_argument(
        "--tensorflow_intra_op_parallelism",
        type=int,
        help="threads that share the work of one operation: 1 unless set; 0 for one a core",
    )
    parser.add_argument(
        "--tensorflow_inter_op_parallelism",
        type=int,
        help="operations that run at a time, in threads that all requests share; 0 for one a core;"
        " unless set, each run has its own",
    )


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model_name", default="default", help="name in the API")
    parser.add_argument(
        "--model_base_path", type=flag_values.folder_of_versions, help="holds the versions"
    )
    parser.add_argument(
        "--model_config_file",
        type=flag_values.path,
        help="text of a ModelServerConfig: models, instead of the two flags above",
    )
    parser.add_argument(
        "--model_config_file_poll_wait_seconds",
        type=flag_values.bounded,
        default=0.0,
        help="time between two looks at that file; 0 looks once",
    )
    parser.add_argument(
        "--file_system_poll_wait_seconds",
        type=flag_values.bounded,
        default=1.0,
        help="time between two looks for a new version; 0 looks once, less never",
    )
    parser.add_argument(
        "--max_num_load_retries",
        type=int,
        default=5,
        help="how often a version that does not load is tried again",
    )
    parser.add_argument(
        "--load_retry_interval_micros",
        type=int,
        default=60 * 10**6,
        help="microseconds before it is",
    )
    _add_truth(
        parser,
        "allow_version_labels_for_unavailable_models",
        default=False,
        text="a new label may name a version that is not available yet",
    )
    _add_truth(
        parser,
        "enable_model_warmup",
        default=True,
        text="a version answers its warm-up requests before it is available",
    )
    parser.add_argument(
        "--num_request_iterations_for_warmup",
        type=int,
        default=1,
        help="how often each of them runs",
    )


def _add_own(parser: argparse.ArgumentParser) -> None:
    _add_truth(parser, "version", default=False, text="print the versions and exit")
    parser.add_argument(
        "--host", type=bare_host, default="127.0.0.1", help="address to bind to (Graft's own)"
    )
    parser.add_argument(
        "--ports_file",
        type=flag_values.path,
        help="take free ports and write them here as JSON once ready (Graft's own)",
    )
    parser.add_argument(
        "--stop_at_eof",
        action="store_true",
        help="stop when standard input ends, so as not to outlive a parent process (Graft's own)",
    )


def _add_request_log(parser: argparse.ArgumentParser) -> None:
    defaults = RequestLogSettings(Path())
    parser.add_argument(
        "--request_log",
        type=flag_values.path,
        help="folder to log requests in; without it none is (Graft's)",
    )
    parser.add_argument(
        "--request_log_sample_rate",
        type=flag_values.bounded,
        default=defaults.sample_rate,
        help="share of the requests that are written down whole, 0 to 1; errors always are",
    )
    _add_truth(
        parser,
        "request_log_images",
        default=defaults.keep_images,
        text="keep the bytes of those images too",
    )
    parser.add_argument(
        "--request_log_days",
        type=flag_values.bounded,
        default=defaults.keep_days,
        help="after so many days a file of the log is deleted",
    )
    parser.add_argument(
        "--request_log_mib",
        type=int,
        default=defaults.keep_bytes >> 20,
        help="MiB that the log may take of the disk, images included",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    for limit in fields(Limits):
        parser.add_argument(
            f"--{flag_of(limit)}",
            type=int if isinstance(limit.default, int) else flag_values.bounded,
            default=limit.default,
            help=f"{limit.name}, {limit.default} unless set (Graft's own)",
        )


def _add_truth(parser: argparse.ArgumentParser, name: str, default: bool, text: str) -> None:
    """Adds a flag that is true when it stands alone, as in TensorFlow's own parser."""
    parser.add_argument(
        f"--{name}",
        type=flag_values.truth,
        nargs="?",
        const=True,
        default=default,
        metavar="BOOL",
        help=text,
    )
