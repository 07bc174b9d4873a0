"""The request log where the server itself keeps none, as the official one: what a gateway sees.

All requests are counted, and errors written down, from the lines that nginx appends. Of the copies
that nginx makes of some REST requests, each is asked anew with the signature `monitored`, which
says the embedding too: a second run for these, as the official server shows no other way.
"""

import base64
import binascii
import hashlib
import http.client
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np

from models.errors import GraftError
from models.observation.log_entry import Entry
from models.observation.reference import REFERENCE, Reference, read_reference
from models.storage.atomic_write import write_atomically
from models.storage.seals import EXTRA
from serving.errors import code_of_http
from serving.request_log.columns import Seen, answer_columns, digest_column
from serving.request_log.journal import Journal
from serving.request_log.settings import RequestLogSettings

_log = logging.getLogger(__name__)
_SIGNATURE: Final = "monitored"
_TIMEOUT: Final = 30.0
_PLACE: Final = "logged"
_MOST_BYTES: Final = 16 * 2**20
_LONGEST: Final = 100
_MARK_BYTES: Final = 48
"""At a file's beginning, less than a line: time and id of the first request tell it from others."""
_LOOKED_UP: Final = (
    "/tensorflow.serving.ModelService/GetModelStatus",
    "/tensorflow.serving.PredictionService/GetModelMetadata",
)
_BY_NUMBER: Final = {str(code.value[0]): code.name for code in grpc.StatusCode}


@dataclass(frozen=True)
class Copy:
    """A copy of a request that nginx made.

    Attributes:
        request_id: of the request.
        label: `stable` or `canary`, who answered it.
        headers: those that say how to read the body.
        body: as it was sent; in the log, as REST would have sent it.
        protocol: REST or GRPC, by which it came.
    """

    request_id: str
    label: str
    headers: Mapping[str, str]
    body: bytes
    protocol: str = "REST"


@dataclass(frozen=True)
class Watched:
    """What a gateway logs.

    Attributes:
        model_name: in the API.
        versions: folder of the versions, as this process sees it, for their references.
        servers: REST address by label.
        settings: of the log; the sample rate is what is copied.
    """

    model_name: str
    versions: Path
    servers: Mapping[str, str]
    settings: RequestLogSettings

    @property
    def percent(self) -> int:
        """Of the REST requests that are copied; one at least."""
        return max(1, round(100 * self.settings.sample_rate))


class GatewayLog:
    """Logs the requests of one gateway."""

    def __init__(self, watched: Watched, requests: Path) -> None:
        """Opens the log, and goes on in nginx's file where a former gateway ended.

        Args:
            watched: what to log.
            requests: file to which nginx appends.
        """
        self._watched = watched
        self._requests = requests
        self._place = requests.with_name(_PLACE)
        self._journal = Journal(watched.settings)
        self._references: dict[int, Reference | None] = {}
        self.labels: Mapping[str, int] = {}
        self.share = 0

    def read_on(self) -> None:
        """Counts the requests that nginx has noted since the last time."""
        try:
            size = self._requests.stat().st_size
        except FileNotFoundError:
            return
        with self._requests.open("rb") as file:
            mark = hashlib.sha256(file.read(_MARK_BYTES)).hexdigest()
            begin = self._begin(size, mark)
            file.seek(begin)
            content = file.read(_MOST_BYTES)
        # The last line may not be whole yet.
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.splitlines():
            self._note(line)
        if whole:
            self._go_on_from(begin + len(whole), mark)

    def copied(self, copy: Copy) -> None:
        """Asks about a copy, and writes down what is said of its images."""
        images = _images(copy.body)
        version = self.labels.get(copy.label, 0)
        reference = self._reference(version)
        if not images or reference is None or not self.share:
            return
        answer = self._ask(copy)
        try:
            columns = _columns(images, answer, reference)
        except (KeyError, TypeError, ValueError):
            return  # an error, which nginx has noted too, or no classifier's answer
        self._journal.add(
            Entry(
                time.time(),
                copy.request_id[:_LONGEST],
                copy.protocol,
                self._watched.model_name[:_LONGEST],
                version,
                copy.label,
                images=len(images),
                weight=100.0 / self.share,
                first_row=0,
                is_counted=False,
                columns=columns,
            )
        )

    def close(self) -> None:
        """Closes the log."""
        self._journal.close()

    def _begin(self, size: int, mark: str) -> int:
        try:
            at, *known = self._place.read_text("ascii").split()
            place = int(at)
        except (OSError, ValueError):
            self._go_on_from(size, mark)
            return size
        # The file was rotated: what is there is another one, of which nothing was read.
        return 0 if place and known and known != [mark] else min(place, size)

    def _go_on_from(self, place: int, mark: str) -> None:
        write_atomically(self._place, f"{place} {mark}".encode())

    def _note(self, line: bytes) -> None:
        try:
            # nginx leaves the bytes of a path as they came.
            seen = json.loads(line.decode("utf-8", "replace"))
            if seen["method"] != "POST" or not _asks_model(seen):
                return
            status = _status(seen)
            self._journal.add(
                Entry(
                    float(seen["time"]),
                    str(seen["id"])[:_LONGEST],
                    "GRPC" if seen["api"] == "grpc" else "REST",
                    self._watched.model_name[:_LONGEST],
                    self.labels.get(str(seen["label"] or seen["variant"]), 0),
                    str(seen["label"])[:_LONGEST],
                    status,
                    float(seen["seconds"]) * 1000.0,
                    weight=0.0 if status == "OK" else 1.0,
                    first_row=0 if status == "OK" else -1,
                )
            )
        except (ValueError, KeyError, TypeError):
            return  # cut off where a machine lost power

    def _reference(self, version: int) -> Reference | None:
        if version not in self._references:
            path = self._watched.versions / str(version) / EXTRA / REFERENCE
            try:
                self._references[version] = read_reference(path)
            except GraftError as error:
                _log.warning("Requests are counted alone: %s", error)
                self._references[version] = None
        return self._references[version]

    def _ask(self, copy: Copy) -> Any:
        document = {**json.loads(copy.body), "signature_name": _SIGNATURE}
        path = f"/v1/models/{self._watched.model_name}/labels/{copy.label}:predict"
        connection = http.client.HTTPConnection(self._watched.servers[copy.label], timeout=_TIMEOUT)
        try:
            connection.request("POST", path, json.dumps(document))
            return json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException):
            return {}
        finally:
            connection.close()


def _images(body: bytes) -> list[bytes]:
    """The images of a predict request in either JSON form; none where it is something else."""
    try:
        document = json.loads(body)
        values = document["instances"] if "instances" in document else document["inputs"]
        if isinstance(values, dict):
            values = values["image_bytes"]
        if isinstance(values, dict):
            values = [values]
        values = [each.get("image_bytes", each) for each in values]
        return [base64.b64decode(each["b64"], validate=True) for each in values]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
        return []


def _columns(images: list[bytes], answer: Any, reference: Reference) -> dict[str, Any]:
    if "predictions" in answer:
        rows = answer["predictions"]
        outputs = {name: [row[name] for row in rows] for name in rows[0]}
    else:
        outputs = answer["outputs"]
    probabilities, embedding, signals = (
        np.array(outputs[name], np.float32)
        for name in ("probabilities", "embedding", "image_signals")
    )
    if not len(images) == len(probabilities) == len(embedding) == len(signals):
        raise ValueError("not an answer for each image")
    columns = answer_columns(probabilities, Seen(embedding, signals, reference))
    return {"digest": digest_column(images), **columns}


def _asks_model(seen: Mapping[str, Any]) -> bool:
    """Whether it asks for answers of the model, as far as can be seen; gRPC looks things up too."""
    return seen["api"] != "grpc" or str(seen.get("path", "")) not in _LOOKED_UP


def _status(seen: Mapping[str, Any]) -> str:
    """The name of a gRPC status for what nginx noted."""
    if seen["api"] == "grpc" and seen["grpc_status"] in _BY_NUMBER:
        return _BY_NUMBER[seen["grpc_status"]]
    return code_of_http(int(seen["status"])).name
