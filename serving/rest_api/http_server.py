"""The HTTP around the REST API: keep-alive, a thread for each connection, a drain at the end."""

import gzip
import io
import json
import logging
import threading
import time
import zlib
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

import grpc

from serving.errors import ServingError, invalid_argument
from serving.rest_api.rest import Response, RestApi, error_response

_log = logging.getLogger(__name__)
_LARGEST_INFLATED: Final = 100 * 2**20
_IDLE_SECONDS: Final = 300.0


class RestServer(ThreadingHTTPServer):
    """Serves a `RestApi` over HTTP/1.1."""

    daemon_threads = True
    # Idle keep-alive connections hold their threads; `drain` waits for requests, not for threads.
    block_on_close = False
    request_queue_size = 128

    def __init__(self, api: RestApi, host: str, port: int) -> None:
        """Binds to `host`; port 0 takes a free one.

        Raises:
            OSError: the port is taken.
        """
        super().__init__((host, port), _Handler)
        self.api = api
        self.draining = False
        self._thread = threading.Thread(target=self.serve_forever, name="rest", daemon=True)
        self._running = 0
        self._idle = threading.Condition()

    @property
    def port(self) -> int:
        """The port that the server is bound to."""
        return int(self.server_address[1])

    def serve_in_background(self) -> None:
        """Serves until `drain`, in a thread of its own."""
        self._thread.start()

    def drain(self, seconds: float) -> None:
        """Accepts nothing more and waits, at most `seconds`, for the running requests."""
        self.draining = True
        if self._thread.is_alive():
            self.shutdown()
        deadline = time.monotonic() + seconds
        with self._idle:
            self._idle.wait_for(lambda: self._running == 0, deadline - time.monotonic())
        self.server_close()

    def count(self, change: int) -> None:
        """Notes that a request has begun (1) or ended (-1)."""
        with self._idle:
            self._running += change
            self._idle.notify_all()


class _Handler(BaseHTTPRequestHandler):
    server: RestServer
    protocol_version = "HTTP/1.1"
    server_version = "graft"
    timeout = _IDLE_SECONDS
    # Headers and body leave in one packet, at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.count(1)
        try:
            self._send(self._response())
        finally:
            self.server.count(-1)

    def _response(self) -> Response:
        path = urlsplit(self.path).path
        try:
            body = self._body()
            if not path.lower().startswith("/v1/"):
                return Response(404, b"")
            return self.server.api.answer(self.command, path, body)
        except ServingError as error:
            return error_response(error)
        except Exception as error:  # noqa: BLE001 (a defect must answer 500, not hang the client)
            _log.exception("%s %s failed", self.command, path)
            return error_response(ServingError(grpc.StatusCode.INTERNAL, str(error)))

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise invalid_argument("A body needs a Content-Length.")
        body = self.rfile.read(int(length))
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            return _inflate(body)
        return body

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(response.body)))
        if self.server.draining:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(response.body)
        self.wfile.flush()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answers in the API's form, not in HTML; any other method is a malformed request."""
        self.close_connection = True
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._send(self.server.api.answer(self.command, urlsplit(self.path).path, b""))
            return
        text = json.dumps({"error": message or explain or HTTPStatus(code).phrase})
        self._send(Response(code, text.encode("utf-8")))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Keeps the access log at the debug level."""
        _log.debug(format, *args)


def _inflate(body: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            inflated = stream.read(_LARGEST_INFLATED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise invalid_argument("The body is not valid gzip data.") from error
    if len(inflated) > _LARGEST_INFLATED:
        raise invalid_argument(f"The body inflates to more than {_LARGEST_INFLATED} bytes.")
    return inflated
