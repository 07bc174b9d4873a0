"""What benchmarks of serving share: clients, their requests, and the CPU time of a server."""

import base64
import io
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tensorflow_serving.apis import predict_pb2

from serving.tensors.tensor_protos import to_proto

LOAD = Path(__file__).resolve().parent / "serving_load.py"
"""The program that asks; it reads a `Load` as JSON."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Load:
    """What the clients do.

    Attributes:
        target: host and port.
        path: of REST; None for gRPC.
        payload: file with the body of every request.
        clients: connections.
        seconds: how long.
        rate: requests a second that come at random; None where each client waits for its answer.
    """

    target: str
    path: str | None
    payload: str
    clients: int
    seconds: float
    rate: float | None = None


def jpeg() -> bytes:
    """An image of 160 x 120 pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((160, 120), Image.Resampling.BICUBIC).save(buffer, "JPEG")
    return buffer.getvalue()


def grpc_request(images: list[bytes]) -> Any:
    """A `PredictRequest` for the model `m`."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["image_bytes"].CopyFrom(to_proto(np.array(images, dtype=object)))
    return request


def rest_request(image: bytes) -> str:
    """The same of one image, for REST."""
    return json.dumps({"instances": [{"b64": base64.b64encode(image).decode()}]})


def ask(load: Load) -> dict[str, Any]:
    """Runs the clients; returns what they saw."""
    command = [sys.executable, str(LOAD)]
    asked = json.dumps(asdict(load))
    done = subprocess.run(command, input=asked, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


class Process:
    """What a server's process uses.

    Attributes:
        pid: its number.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._folder = Path(f"/proc/{pid}")

    def cpu_seconds(self) -> float:
        """Of all its threads so far."""
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def lives(self) -> bool:
        """Whether it has not ended."""
        status = self._folder / "status"
        return status.exists() and "\nState:\tZ" not in status.read_text()

    def megabytes(self, kind: str = "VmRSS") -> float:
        """Memory that it has, or another line of its status."""
        lines = (self._folder / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024


def measured(process: Process, load: Load) -> dict[str, Any]:
    """What the clients saw, and the CPU milliseconds of the server for each request."""
    before = process.cpu_seconds()
    seen = ask(load)
    seen["cpu_ms"] = (process.cpu_seconds() - before) / seen["requests"] * 1000
    return seen
