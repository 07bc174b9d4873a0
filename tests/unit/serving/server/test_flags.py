"""The flags of TensorFlow Serving's binary."""

from pathlib import Path

import pytest

from models.errors import UsageError
from serving.__main__ import main
from serving.servables.parallelism import Parallelism
from serving.server.flags import parse_flags, settings_of
from serving.server.settings import ServerSettings

MODEL = ["--model_name=m", "--model_base_path=/models/m"]


def test_flags_are_those_of_tensorflow_serving() -> None:
    flags = [*MODEL, "--port=9000", "--file_system_poll_wait_seconds=0"]
    assert settings_of(parse_flags(flags)) == ServerSettings(
        "m", Path("/models/m"), port=9000, rest_api_port=None, poll_seconds=0, load_retries=5
    )


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--rest_api_port=65536", "--rest_api_port: 65536 is not within 0 to 65535"),
        ("--port=eighty", "--port: 'eighty' is no whole number"),
        ("--version=perhaps", "--version: 'perhaps' is neither true nor false"),
        ("--file_system_poll_wait_seconds=nan", "nan is no number of at most 1000000000"),
        ("--model_config_file_poll_wait_seconds=inf", "inf is no number of at most"),
        ("--rest_api_body_seconds=1e300", "1e300 is no number of at most"),
        ("--model_base_path=gs://bucket/m", "expected a folder of this machine, got 'gs://bucket"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    flag: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse_flags([*MODEL, flag])
    assert message in capsys.readouterr().err


def test_one_port_for_both_apis_is_refused() -> None:
    with pytest.raises(UsageError, match="--port and --rest_api_port are both 9000"):
        settings_of(parse_flags([*MODEL, "--port=9000", "--rest_api_port=9000"]))


def test_a_model_needs_a_name() -> None:
    with pytest.raises(UsageError, match="--model_name is empty"):
        settings_of(parse_flags(["--model_name=", "--model_base_path=/models/m"]))


@pytest.mark.parametrize("path", ["metrics", "/a b", "/{model}", "/m?x"])
def test_a_page_of_metrics_that_nobody_could_ask_for_is_refused(path: str, tmp_path: Path) -> None:
    file = tmp_path / "monitoring.config"
    file.write_text(f'\ufeffprometheus_config {{ enable: true path: "{path}" }}')
    with pytest.raises(UsageError, match=r"expected one that begins with /"):
        settings_of(parse_flags([*MODEL, f"--monitoring_config_file={file}"]))


@pytest.mark.parametrize("path", ["/v1/models/m", "/livez", "/readyz"])
def test_so_is_one_that_would_hide_another_page(path: str, tmp_path: Path) -> None:
    file = tmp_path / "monitoring.config"
    file.write_text(f'prometheus_config {{ enable: true path: "{path}" }}')
    with pytest.raises(UsageError, match="where something else is answered"):
        settings_of(parse_flags([*MODEL, f"--monitoring_config_file={file}"]))


def test_an_empty_path_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    paths = ("monitoring_config_file", "ssl_config_file", "batching_parameters_file", "request_log")
    empty = [f"--{name}=" for name in (*paths, "model_config_file", "grpc_socket_path")]
    assert settings_of(parse_flags([*MODEL, *empty])) == settings_of(parse_flags(MODEL))
    with pytest.raises(SystemExit, match="2"):
        parse_flags(["--model_name=m", "--model_base_path="])
    assert "what is to be served?" in capsys.readouterr().err


def test_the_server_goes_on_after_a_flag_that_it_does_not_know(
    capsys: pytest.CaptureFixture[str],
) -> None:
    odd = ["--no_such_flag=1", "--num_load_threads=3", "--xla_cpu_compilation_enabled"]
    assert settings_of(parse_flags([*odd, *MODEL])).model_name == "m"
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "unknown argument: --no_such_flag=1"
    assert [line.partition(" changes nothing: ")[0] for line in lines[1:]] == [
        "--num_load_threads",
        "--xla_cpu_compilation_enabled",
    ]


def test_a_server_without_a_model_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse_flags(["--port=9000"])
    assert "Give --model_base_path" in capsys.readouterr().err


def test_the_version_is_told_without_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    graft, tensorflow = capsys.readouterr().out.splitlines()
    assert graft.startswith("Graft ModelServer: ")
    assert tensorflow.startswith("TensorFlow Library: 2.")


def test_grpc_takes_more_settings_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    flag = "--grpc_channel_arguments=grpc.max_connection_age_ms=2000,grpc.lb_policy_name=grpclb"
    assert settings_of(parse_flags([*MODEL, flag])).grpc.channel_arguments == (
        ("grpc.max_connection_age_ms", 2000),
        ("grpc.lb_policy_name", "grpclb"),
    )
    with pytest.raises(SystemExit, match="2"):
        parse_flags([*MODEL, "--grpc_channel_arguments=grpc.age"])
    assert "'grpc.age' is no KEY=VALUE" in capsys.readouterr().err


def test_the_threads_of_tensorflow_are_set_as_in_the_official_binary() -> None:
    def threads(*flags: str) -> Parallelism:
        return settings_of(parse_flags([*MODEL, *flags])).parallelism

    assert threads() == Parallelism(1, None)
    assert threads("--tensorflow_intra_op_parallelism=4") == Parallelism(4, None)
    assert threads("--tensorflow_inter_op_parallelism=2") == Parallelism(1, 2)
    assert threads("--tensorflow_session_parallelism=3") == Parallelism(3, 3)
