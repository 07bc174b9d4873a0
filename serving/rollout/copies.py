"""Takes copies of requests from nginx, and asks both versions the same over REST."""

import http.client
import json
import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from serving.gateway.settings import CANARY, STABLE, Server
from serving.rollout.gateway_log import Copy
from serving.rollout.grpc_copies import as_rest
from serving.rollout.judge import Answer
from serving.rollout.unpacking import MOST_BYTES, unpacked

_log = logging.getLogger(__name__)
_WAITING: Final = 16
_PIECE: Final = 2**16
_TIMEOUT: Final = 30.0
_LOOK_SECONDS: Final = 0.05
"""Between two looks whether it is to end, for which whoever closes it waits."""
_GRPC: Final = "grpc"
_VERBS: Final = ("predict", _GRPC)
_NAMES: Final = ("X-Request-Id", "X-Variant", "X-Verb")
_TYPE, _ENCODING = "Content-Type", "Content-Encoding"
_PLAIN: Final = "identity"
_MOST_IMAGES: Final = 4
_EXPLAINED: Final = b'"explained"'
"""Names a signature that older versions lack, which would count against them."""


class Copies:
    """Listens on a port of this machine.

    More copies than can be looked at are thrown away, and those of more than 8 MiB: what clients
    send is never to fill the memory of this process.

    Attributes:
        comparing: whether both versions are asked.
    """

    def __init__(
        self,
        model_name: str,
        servers: dict[str, Server],
        compared: Callable[[Answer | None, Answer | None], None],
        port: int = 0,
        logged: Callable[[Copy], None] = lambda _: None,
    ) -> None:
        """Listens.

        Args:
            model_name: in the API.
            servers: by label.
            compared: gets what stable and canary said.
            port: to listen on if it is free.
            logged: gets each copy.
        """
        self._waiting: queue.Queue[Copy] = queue.Queue(_WAITING)
        self.comparing = True
        self._logged = logged
        self._name = model_name
        self._servers = servers
        self._compared = compared

        class Handler(_Handler):
            waiting = self._waiting
            places = threading.BoundedSemaphore(_WAITING)

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError:
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        listen = partial(self._server.serve_forever, _LOOK_SECONDS)
        for target in (listen, self._compare):
            threading.Thread(target=target, name="copies", daemon=True).start()

    @property
    def address(self) -> str:
        """Where nginx sends the copies."""
        return f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Takes no more copies."""
        self._server.shutdown()
        self._server.server_close()

    def _compare(self) -> None:
        while True:
            copy = self._waiting.get()
            try:
                self._look_at(copy)
            except Exception:  # noqa: BLE001 (who knows what was sent; the next ones are compared)
                _log.exception("The copy of request %s was passed over", copy.request_id)

    def _look_at(self, copy: Copy) -> None:
        if copy.protocol == "GRPC":
            said = as_rest(copy.body, self._name)
            if said is None:
                return
            copy = replace(copy, headers={_TYPE: "application/json"}, body=said)
        elif copy.headers.get(_ENCODING, _PLAIN).lower() != _PLAIN:
            plain = unpacked(copy.body)
            if plain is None:
                return
            headers = {name: value for name, value in copy.headers.items() if name != _ENCODING}
            copy = replace(copy, headers=headers, body=plain)
        if self.comparing and _EXPLAINED not in copy.body:
            stable, canary = (self._ask(label, copy) for label in (STABLE, CANARY))
            # Of a request with many images a few are enough, and none counts for many.
            for pair in list(zip(stable, canary, strict=False))[:_MOST_IMAGES]:
                self._compared(*pair)
        self._logged(copy)

    def _ask(self, label: str, copy: Copy) -> list[Answer | None]:
        path = f"/v1/models/{self._name}/labels/{label}:predict"
        connection = http.client.HTTPConnection(self._servers[label].rest, timeout=_TIMEOUT)
        try:
            connection.request("POST", path, copy.body, dict(copy.headers))
            response = connection.getresponse()
            document = json.loads(response.read())
        except (OSError, ValueError, http.client.HTTPException):
            return [None] * _MOST_IMAGES
        finally:
            connection.close()
        if response.status != http.client.OK:
            return [None] * _MOST_IMAGES
        try:
            return [*answers_of(document)]
        except (KeyError, IndexError, TypeError, ValueError):
            return []  # no classifier's answer


class _Handler(BaseHTTPRequestHandler):
    """Answers at once: nginx holds the client's connection until the copy is delivered."""

    waiting: queue.Queue[Copy]
    places: threading.BoundedSemaphore
    timeout = 5.0

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if length.isdecimal():
            if int(length) <= MOST_BYTES and self.places.acquire(blocking=False):
                try:
                    self._take(self.rfile.read(int(length)))
                finally:
                    self.places.release()
            else:
                self._pass_over(int(length))
        self.send_response(http.client.NO_CONTENT)
        self.end_headers()

    def _take(self, body: bytes) -> None:
        if self.headers.get("X-Verb", "").lower() not in _VERBS:
            return
        kept = {name: self.headers[name] for name in (_TYPE, _ENCODING) if name in self.headers}
        identifier, label, verb = (self.headers.get(name, "") for name in _NAMES)
        protocol = "GRPC" if verb.lower() == _GRPC else "REST"
        with suppress(queue.Full):  # enough others are looked at
            self.waiting.put_nowait(Copy(identifier, label, kept, body, protocol))

    def _pass_over(self, length: int) -> None:
        while length > 0 and (piece := self.rfile.read(min(length, _PIECE))):
            length -= len(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Stays silent."""


def answers_of(document: dict[str, Any]) -> list[Answer]:
    """The answers to the images of a request, from either JSON form of TensorFlow Serving.

    A class is known by its name where the model gives one, else by its place.
    """
    if "predictions" in document:
        rows = document["predictions"]
        if rows and isinstance(rows[0], dict):
            return [_answer({name: row[name] for name in row}) for row in rows]
        return [_answer({"probabilities": row}) for row in rows]
    outputs = document.get("outputs")
    if not isinstance(outputs, dict):
        outputs = {"probabilities": outputs or []}
    count = len(outputs.get("probabilities", []))
    return [_answer({name: value[n] for name, value in outputs.items()}) for n in range(count)]


def _answer(row: dict[str, Any]) -> Answer:
    probabilities = [float(p) for p in row["probabilities"]]
    highest = max(probabilities)
    names = row.get("labels") or row.get("label") or probabilities.index(highest)
    return Answer(str(names[0] if isinstance(names, list) else names), highest)
