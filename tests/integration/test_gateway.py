"""The gateway with a real nginx, in front of a server that answers at once."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import grpc
import pytest
from fake_model_server import Behaviour, FakeServer
from free_ports import free_port
from gateway_clients import IMAGE, ask, needs_nginx

from models.errors import GraftError, UsageError
from serving.gateway.nginx_process import Nginx
from serving.gateway.settings import GatewaySettings, Server, Traffic

pytestmark = needs_nginx
KEY = "k" * 32
SERVICE = "/tensorflow.serving.PredictionService/"
PREDICT = SERVICE + "Predict"
OTHERS = [SERVICE + each for each in ("Classify", "Regress", "MultiInference", "GetModelMetadata")]


@pytest.fixture(scope="module")
def stable() -> Iterator[FakeServer]:
    with FakeServer({1: Behaviour()}, {1}, {"stable": 1, "canary": 1}) as server:
        yield server


@pytest.fixture(scope="module")
def canary() -> Iterator[FakeServer]:
    with FakeServer({2: Behaviour("dog")}, {2}, {"stable": 2, "canary": 2}) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(
    stable: FakeServer, canary: FakeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[GatewaySettings, Nginx]]:
    settings = GatewaySettings(
        "m",
        stable.address,
        canary.address,
        port=free_port(),
        grpc_port=free_port(),
        body_mib=1,
        header_seconds=1,
        requests_per_second=10_000,
    )
    nginx = Nginx(settings, stable.address.rest, tmp_path_factory.mktemp("gate way [1] é"))
    nginx.direct(Traffic())
    nginx.ensure()
    yield settings, nginx
    nginx.stop()


def _lines(nginx: Nginx, name: str = "requests.jsonl") -> list[dict]:
    return [json.loads(line) for line in (nginx.folder / name).read_text().splitlines()]


def _await(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert reached()


def test_all_go_to_the_stable_until_a_share_is_set(gateway) -> None:
    settings, nginx = gateway
    assert [ask(settings.port).document["version"] for _ in range(20)] == [1] * 20
    assert nginx.direct(Traffic(share=50))
    assert not nginx.direct(Traffic(share=50))
    versions = [ask(settings.port).document["version"] for _ in range(100)]
    assert 20 <= versions.count(2) <= 80
    nginx.direct(Traffic(share=100))
    assert ask(settings.port).document["version"] == 2
    nginx.direct(Traffic())
    assert ask(settings.port).document["version"] == 1


def test_a_share_changes_under_an_open_connection(gateway) -> None:
    """One connection lives through all changes: nginx is not reloaded."""
    settings, nginx = gateway
    connection = http.client.HTTPConnection("127.0.0.1", settings.port)
    connection.connect()
    local = connection.sock.getsockname()
    for share in (0, 100, 0):
        nginx.direct(Traffic(share=share))
        connection.request("POST", "/v1/models/m:predict", IMAGE)
        assert json.loads(connection.getresponse().read())["version"] == (2 if share else 1)
    assert connection.sock.getsockname() == local
    connection.close()


def test_who_names_a_label_gets_it(gateway) -> None:
    port = gateway[0].port
    assert ask(port, "/v1/models/m/labels/canary:predict").document["version"] == 2
    assert ask(port, "/v1/models/m/labels/stable:predict").document["version"] == 1
    assert ask(port, "/v1/models/m/labels/other:predict").status == 404
    assert ask(port, "/v1/models/m/versions/1:predict").document["version"] == 1
    assert ask(port, "/v1/models/m", None).document["model_version_status"]
    assert ask(port, "/v1/models/m/metadata", None).document["model_spec"]["version"] == "1"
    assert ask(port, "/ready", None).status == 200


def test_nginx_has_nothing_to_complain_of(gateway) -> None:
    settings, nginx = gateway
    log = nginx.folder / "nginx.log"
    before = len(log.read_text())
    for traffic in (Traffic(), Traffic(share=50, copies=50, trial=True), Traffic()):
        nginx.direct(traffic)
        assert ask(settings.port).status == 200
        assert ask(settings.port, "/elsewhere", None).status == 404
    with grpc.insecure_channel(f"127.0.0.1:{settings.grpc_port}") as channel:
        channel.unary_unary(PREDICT)(b"", timeout=60)
    count = len(_lines(nginx))
    ask(settings.port)
    _await(lambda: len(_lines(nginx)) > count)
    assert log.read_text()[before:] == ""


def test_names_of_models_have_their_case_and_no_other_word_has(gateway) -> None:
    port = gateway[0].port
    assert ask(port, "/v1/models/M:predict").status == 404
    assert ask(port, "/V1/Models/m:predict").document["version"] == 1


@pytest.mark.parametrize(
    "path",
    ["/v1/models/n:predict", "/v1/models", "/monitoring/prometheus/metrics", "/../../etc/passwd",
     "/nginx.conf.j2", "/v1/models/m/../../x", "/v1/models/m%2f..:predict"],
)  # fmt: skip
def test_nothing_else_is_behind_it(gateway, path: str) -> None:
    reply = ask(gateway[0].port, path, None)
    assert reply.status in (400, 404)


def test_requests_have_names(gateway, stable: FakeServer) -> None:
    settings, nginx = gateway
    given = ask(settings.port, headers={"X-Request-Id": "order-17:a.b"})
    assert given.headers["X-Request-Id"] == "order-17:a.b"
    assert stable.seen[-1][1]["X-Request-Id"] == "order-17:a.b"
    made = ask(settings.port, headers={"X-Request-Id": 'x" evil'}).headers["X-Request-Id"]
    assert len(made) == 32
    _await(lambda: [line["id"] for line in _lines(nginx)][-2:] == ["order-17:a.b", made])
    line = _lines(nginx)[-1]
    assert (line["api"], line["variant"], line["status"]) == ("rest", "stable", 200)
    assert float(line["upstream_seconds"]) <= line["seconds"] + 0.01


def test_a_canary_that_is_away_harms_nobody(gateway, stable: FakeServer, tmp_path: Path) -> None:
    nobody = Server(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    settings = replace(gateway[0], canary=nobody, port=free_port(), grpc_port=free_port())
    nginx = Nginx(settings, stable.address.rest, tmp_path)
    nginx.direct(Traffic(share=100, trial=True))
    nginx.ensure()
    try:
        assert ask(settings.port).document["version"] == 1
        _await(lambda: bool(_lines(nginx, "evidence.jsonl")))
        line = _lines(nginx, "evidence.jsonl")[-1]
        assert (line["variant"], line["status"]) == ("canary", 200)
        assert line["upstream_status"].startswith("502")
        stable.seen.clear()
        for method, copies in product((PREDICT, *OTHERS), (0, 100)):
            nginx.direct(Traffic(share=100, copies=copies, trial=True))
            for size in (1, 70_000, 900_000):
                message = b"v" * size
                with grpc.insecure_channel(f"127.0.0.1:{settings.grpc_port}") as channel:
                    assert channel.unary_unary(method)(message, timeout=30) == message + b"1"
        assert len(stable.seen) == 3, "predictions alone are copied"
        nginx.direct(Traffic())
        assert ask(settings.port).document["version"] == 1
    finally:
        nginx.stop()


def test_copies_go_to_who_compares(gateway, stable: FakeServer) -> None:
    settings, nginx = gateway
    nginx.direct(Traffic(copies=100))
    stable.seen.clear()
    ask(settings.port, headers={"X-API-Key": KEY})
    _await(lambda: len(stable.seen) == 2)
    nginx.direct(Traffic())
    copy = next(seen for seen in stable.seen if seen[0] == "/copy")
    assert copy[2] == IMAGE
    assert copy[1]["X-Verb"] == "predict"
    assert "X-API-Key" not in copy[1]


def test_the_way_of_what_is_copied_is_not_open_to_anybody(gateway) -> None:
    settings, nginx = gateway
    nginx.direct(Traffic(copies=100))
    assert ask(settings.port, "/copied/v1/models/m:predict").status == 404
    assert ask(settings.port, "/copied/v1/models/m/versions/1:predict").status == 404
    nginx.direct(Traffic())


def test_large_bodies_and_slow_headers_are_cut_off(gateway) -> None:
    settings = gateway[0]
    refused = ask(settings.port, body=b" " * (1024 * 1024 + 1))
    assert (refused.status, refused.document) == (413, {"error": "The body is larger than 1 MiB."})
    with socket.create_connection(("127.0.0.1", settings.port)) as slow:
        slow.settimeout(30)
        slow.sendall(b"POST /v1/models/m:predict HTTP/1.1\r\nHost: x\r\nX-Slow:")
        with pytest.raises(ConnectionResetError):
            slow.recv(100)


def test_grpc_is_split_too(gateway) -> None:
    settings, nginx = gateway
    with grpc.insecure_channel(f"127.0.0.1:{settings.grpc_port}") as channel:
        predict = channel.unary_unary(PREDICT)
        assert predict(b"v", timeout=30) == b"v1"
        nginx.direct(Traffic(share=100))
        assert predict(b"v", timeout=30) == b"v2"
        nginx.direct(Traffic())
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary("/tensorflow.serving.ModelService/HandleReloadConfigRequest")(
                b"", timeout=30
            )
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
        with pytest.raises(grpc.RpcError) as large:
            predict(b" " * (1024 * 1024 + 1), timeout=30)
        assert large.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    _await(lambda: any(line["api"] == "grpc" and line["variant"] == "canary"
                       for line in _lines(nginx)))  # fmt: skip


def test_predictions_over_grpc_are_copied_too(gateway, stable: FakeServer) -> None:
    settings, nginx = gateway
    nginx.direct(Traffic(copies=100))
    stable.seen.clear()
    with grpc.insecure_channel(f"127.0.0.1:{settings.grpc_port}") as channel:
        assert channel.unary_unary(PREDICT)(b"v" * 70_000, timeout=30) == b"v" * 70_000 + b"1"
    _await(lambda: len(stable.seen) == 1)
    nginx.direct(Traffic())
    (copy,) = stable.seen
    assert copy[2] == b"\0" + (70_000).to_bytes(4, "big") + b"v" * 70_000
    assert copy[1]["X-Verb"] == "grpc"


def _make_certificate(folder: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost"]
    made = [*command, "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(made, check=True, capture_output=True)


@pytest.fixture(scope="module")
def guarded(
    stable: FakeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[GatewaySettings, Nginx]]:
    folder = tmp_path_factory.mktemp("guarded")
    _make_certificate(folder)
    keys = folder / "keys"
    keys.touch(mode=0o600)
    keys.write_text(f"# who has which\nalice {KEY}\n")
    settings = GatewaySettings(
        "m",
        stable.address,
        stable.address,
        port=free_port(),
        certificate=folder / "cert.pem",
        certificate_key=folder / "key.pem",
        keys=keys,
        requests_per_second=3,
    )
    nginx = Nginx(settings, stable.address.rest, folder / "gateway")
    nginx.direct(Traffic())
    nginx.ensure()
    yield settings, nginx
    nginx.stop()


def test_keys_and_tls(guarded) -> None:
    settings, nginx = guarded
    trust = ssl.create_default_context(cafile=str(settings.certificate))
    url = f"https://localhost:{settings.port}/v1/models/m:predict"

    def status(headers: dict[str, str]) -> int:
        try:
            request = urllib.request.Request(url, IMAGE, headers)
            return int(urllib.request.urlopen(request, context=trust, timeout=30).status)
        except urllib.error.HTTPError as error:
            return error.code

    assert status({}) == 401
    assert status({"X-API-Key": KEY.upper()}) == 401
    assert status({"X-API-Key": KEY + "k"}) == 401
    assert status({"X-API-Key": KEY}) == 200
    assert status({"Authorization": f"Bearer {KEY}"}) == 200
    assert status({"Authorization": f"bearer {KEY}"}) == 200
    assert status({"Authorization": f"Bearer {KEY.upper()}"}) == 401
    plain = ask(settings.port)
    assert (plain.status, plain.document["error"]) == (400, "This port speaks TLS: ask https://.")
    assert 429 in [status({"X-API-Key": KEY}) for _ in range(20)]
    log = (nginx.folder / "requests.jsonl").read_text()
    assert '"client":"alice"' in log
    assert KEY not in log
    assert (nginx.folder / "keys.conf").stat().st_mode & 0o077 == 0


def test_a_configuration_that_nginx_refuses_changes_nothing(guarded) -> None:
    settings, nginx = guarded
    pid, text = nginx.pid, (nginx.folder / "nginx.conf").read_bytes()
    certificate = settings.certificate.read_bytes()
    settings.certificate.write_text("no certificate")
    settings.keys.write_text(f"alice {KEY}\nbob {'b' * 32}\n")
    try:
        with pytest.raises(GraftError, match="nginx refuses the gateway's configuration"):
            nginx.ensure()
    finally:
        settings.certificate.write_bytes(certificate)
    assert (nginx.folder / "nginx.conf").read_bytes() == text
    assert nginx.pid == pid
    assert nginx.ensure()
    assert nginx.pid == pid


def test_a_renewed_certificate_is_taken(guarded) -> None:
    settings, nginx = guarded

    def shown() -> str:
        return ssl.get_server_certificate(("localhost", settings.port), timeout=30)

    former, pid = shown(), nginx.pid
    assert former == settings.certificate.read_text()
    _make_certificate(settings.certificate.parent)
    assert nginx.ensure()
    _await(lambda: shown() == settings.certificate.read_text())
    # A worker that ends may answer once more.
    assert settings.certificate.read_text() != former
    assert nginx.pid == pid
    assert not nginx.ensure()


def test_a_key_with_a_password_is_refused_and_not_asked_for(guarded, tmp_path: Path) -> None:
    settings, _ = guarded
    key, locked = settings.certificate_key, tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-in", str(key), "-aes128", "-passout", "pass:secret"]
    subprocess.run([*command, "-out", str(locked)], check=True, capture_output=True)
    other = Nginx(replace(settings, certificate_key=locked), "127.0.0.1:9", tmp_path)
    with pytest.raises(GraftError, match=r"has a password.*openssl pkey"):
        other.ensure()


def test_keys_that_others_can_read_are_refused(guarded) -> None:
    settings, nginx = guarded
    settings.keys.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        nginx.ensure()
    settings.keys.chmod(0o600)


def test_a_taken_port_is_said(gateway, tmp_path: Path, stable: FakeServer) -> None:
    with pytest.raises(GraftError, match=r"nginx does not start\. It says: .*bind"):
        Nginx(gateway[0], stable.address.rest, tmp_path).ensure()


def test_workers_whose_master_was_killed_answer_on_and_make_room(gateway) -> None:
    settings, nginx = gateway
    for end in (nginx.ensure, nginx.stop):
        assert ask(settings.port).status == 200  # the workers are there
        os.kill(nginx.pid, signal.SIGKILL)
        _await(lambda: nginx.pid is None)
        assert ask(settings.port).status == 200
        end()
    with pytest.raises(ConnectionRefusedError):
        _await(lambda: ask(settings.port).status != 200)
    nginx.ensure()
    assert ask(settings.port).status == 200
