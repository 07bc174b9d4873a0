"""The client over TLS: whom it trusts, what it shows, and what is said where that fails."""

import itertools
import socketserver
import ssl
import subprocess
import threading
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from scripted_server import answer, scripted_server
from typing_extensions import Unpack

from models.errors import UsageError
from serving.client import GraftClient, PredictionError
from serving.client.options import Options
from serving.client.trust import trusted_pem

_IMAGES = [b"one", b"two"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", file.with_name("key.pem"), "-out", file],
        check=True, capture_output=True,
    )  # fmt: skip
    return file


def test_a_certificate_is_trusted_where_its_authority_is_named(certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with scripted_server(answer, tls=tls) as server:
        with GraftClient(server.url, "m", ca_file=certificate) as client:
            assert client.predict(_IMAGES).labels == (("red", "dark"),) * 2
        with (
            GraftClient(server.url, "m") as client,
            pytest.raises(PredictionError, match=r"cannot be trusted.*--ca-file"),
        ):
            client.predict(_IMAGES)
        assert len(server.requests) == 1
    for file, scheme in itertools.product(
        (certificate.with_name("none.pem"), Path(__file__)), ("https", "grpcs")
    ):
        with (
            GraftClient(f"{scheme}://127.0.0.1:1", "m", ca_file=file) as client,
            pytest.raises(UsageError, match=f"{file.name} holds no certificates"),
        ):
            client.predict(_IMAGES)


def test_where_tls_fails_the_message_speaks_of_tls(certificate: Path) -> None:
    def said(url: str) -> str:
        return _told(url, ca_file=certificate, retry=False)

    class Plain(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Plain) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f"127.0.0.1:{server.server_address[1]}"
        words = said(f"https://{where}")
        assert "does not speak TLS as expected" in words
        assert "begins with http://" in words
        assert "cannot be trusted" not in words
        words = said(f"grpcs://{where}")
        assert "Does a server answer there that speaks TLS" in words
        assert "graft serve" not in words
        server.shutdown()


def test_grpc_trusts_the_authorities_of_the_system(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert trusted_pem({}) == (certificate.read_bytes(), None, None)


def test_a_server_that_asks_for_a_certificate_gets_the_client_s(certificate: Path) -> None:
    key = certificate.with_name("key.pem")
    both = certificate.with_name("both.pem")
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(both)
    tls.load_verify_locations(certificate)
    tls.verify_mode = ssl.CERT_REQUIRED
    pair = (key.read_bytes(), certificate.read_bytes())
    grpc_server = grpc.server(futures.ThreadPoolExecutor(1))
    required = grpc.ssl_server_credentials([pair], certificate.read_bytes(), True)
    port = grpc_server.add_secure_port("127.0.0.1:0", required)
    grpc_server.start()
    grpcs = f"grpcs://127.0.0.1:{port}"
    with scripted_server(answer, tls=tls) as server:
        shown: tuple[Options, ...] = (
            {"ca_file": certificate, "certificate": both},
            {"ca_file": certificate, "certificate": certificate, "certificate_key": key},
        )
        for named in shown:
            with GraftClient(server.url, "m", **named) as client:
                assert client.predict(_IMAGES).labels == (("red", "dark"),) * 2
            assert "Method not found" in _told(grpcs, **named)
        for url in (server.url, grpcs):
            assert "name its files (`certificate`" in _told(url, ca_file=certificate)
    grpc_server.stop(0)


@pytest.mark.parametrize("scheme", ["https", "grpcs"])
def test_certificates_of_the_client_that_cannot_be_used_are_told(
    certificate: Path, scheme: str
) -> None:
    key = certificate.with_name("locked.pem")
    subprocess.run(
        ["openssl", "pkey", "-in", certificate.with_name("key.pem"), "-aes256", "-passout",
         "pass:secret", "-out", key],
        check=True, capture_output=True,
    )  # fmt: skip
    wrong: tuple[tuple[Options, str], ...] = (
        ({"certificate_key": key}, "is the key of a certificate that is not named"),
        ({"certificate": certificate}, "and its key, without a password, in .*server.pem"),
        ({"certificate": certificate, "certificate_key": key}, r"in .*locked\.pem, both as PEM"),
        ({"certificate": certificate.with_name("none.pem")}, "No such file"),
    )
    for named, words in wrong:
        with (
            GraftClient(f"{scheme}://127.0.0.1:1", "m", **named) as client,
            pytest.raises(UsageError, match=words),
        ):
            client.predict(_IMAGES)


def _told(url: str, **options: Unpack[Options]) -> str:
    with GraftClient(url, "m", **options) as client, pytest.raises(PredictionError) as caught:
        client.predict(_IMAGES)
    return str(caught.value)
