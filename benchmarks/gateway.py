"""What the gateway costs: throughput through it beside throughput without.

A model of MobileNetV2's size for images of 96 pixels, with random weights, behind the embedded
server, which joins requests and logs each of them, as that of `graft serve` does. Clients that send
one JPEG at a time as JSON ask the server itself and through the gateway in turn, so that what else
the machine does meets both. Beside the throughput stands the CPU time of a request, of server,
writer of the log and nginx together, whose ratio holds on a busy machine too. Reach: 0.95.

    ./dev bench gateway
"""

import argparse
import base64
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
# The benchmark of serving, beside this one, would hide the package of its name.
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != _HERE]
sys.path.insert(0, str(_HERE.parent))

_SIZE = 96
_TICKS = os.sysconf("SC_CLK_TCK")

_CLIENT = """
import http.client, json, sys, threading, time
address, path, clients, seconds, body = *sys.argv[1:5], sys.stdin.buffer.read()
end, counts = time.monotonic() + float(seconds), []
def ask():
    connection, count = http.client.HTTPConnection(address), 0
    while time.monotonic() < end:
        connection.request("POST", path, body)
        response = connection.getresponse()
        said = response.read()
        assert response.status == 200, said
        count += 1
    counts.append(count)
threads = [threading.Thread(target=ask) for _ in range(int(clients))]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(counts) == len(threads)
print(sum(counts))
"""


def _export(directory: Path) -> None:
    """In a process of its own, so that Keras does not stay in this one."""
    from benchmarks.mobilenet_export import add_reference, export_mobilenet

    export_mobilenet(directory)
    add_reference(directory)


def _body() -> bytes:
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((160, 120), Image.Resampling.BICUBIC).save(buffer, "JPEG")
    image = {"b64": base64.b64encode(buffer.getvalue()).decode()}
    return json.dumps({"instances": [{"image_bytes": image}]}).encode()


def _cpu(pids: list[int]) -> float:
    """CPU seconds that processes took so far."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields) / _TICKS


def _family(pid: int) -> list[int]:
    """A process and its children."""
    told = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    return [pid, *(int(child) for text in told for child in text.split())]


def _ask(address: str, path: str, options: argparse.Namespace, body: bytes) -> int:
    command = [sys.executable, "-c", _CLIENT, address, path, str(options.clients)]
    command.append(str(options.seconds))
    return int(subprocess.run(command, input=body, stdout=subprocess.PIPE, check=True).stdout)


def _measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    from serving.gateway.nginx_process import Nginx
    from serving.gateway.settings import GatewaySettings, Server, Traffic
    from serving.rollout.model_server import ModelOnServer
    from serving.server_process import ServerProcess

    base_path = folder / "m"
    flags = ("--enable_batching", f"--request_log={folder / 'requests'}")
    with ServerProcess("m", base_path, flags=flags) as process:
        addresses = process.wait()
        server = Server(addresses.url.removeprefix("http://"), addresses.target)
        ModelOnServer(server, "m", str(base_path)).settle({"stable": 1, "canary": 1}, 60)
        settings = GatewaySettings(
            "m", server, server, port=options.port, requests_per_second=100_000
        )
        nginx = Nginx(settings, server.rest, folder / "gateway")
        nginx.direct(Traffic())
        nginx.ensure()
        try:
            pids = [*_family(process.pid), *_family(nginx.pid or 0)]
            return _compare(options, settings, pids)
        finally:
            nginx.stop()


def _compare(options: argparse.Namespace, settings: Any, pids: list[int]) -> dict[str, Any]:
    body, path = _body(), "/v1/models/m:predict"
    places = {"without": settings.stable.rest, "through": f"127.0.0.1:{settings.port}"}
    for place in places.values():
        _ask(place, path, options, body)
    rates: dict[str, list[float]] = {name: [] for name in places}
    seconds = dict.fromkeys(places, 0.0)
    requests = dict.fromkeys(places, 0)
    for _ in range(options.rounds):
        for name, place in places.items():
            before = _cpu(pids)
            count = _ask(place, path, options, body)
            seconds[name] += _cpu(pids) - before
            requests[name] += count
            rates[name].append(count / options.seconds)
    costs = {name: 1000 * seconds[name] / requests[name] for name in places}
    ratios = [a / b for a, b in zip(rates["through"], rates["without"], strict=True)]
    return {
        "clients": options.clients,
        "throughput_ratio": round(statistics.median(ratios), 3),
        "throughput_ratios": [round(ratio, 3) for ratio in ratios],
        "cpu_ratio": round(costs["without"] / costs["through"], 3),
        "cpu_ms_a_request": {name: round(cost, 3) for name, cost in costs.items()},
        "per_second": {name: round(statistics.median(found), 1) for name, found in rates.items()},
    }


def main() -> None:
    """Prints the figures as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=18080, help="for the gateway")
    parser.add_argument("--export", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.export:
        _export(options.export)
        return
    with tempfile.TemporaryDirectory(prefix="graft-gateway-") as folder:
        command = [sys.executable, __file__, "--export", str(Path(folder) / "m" / "1")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print(json.dumps(_measure(options, Path(folder))))


if __name__ == "__main__":
    main()
