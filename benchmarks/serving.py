"""The embedded server against the bare model: what the API costs, and what it withstands.

A model of MobileNetV2's size for images of 96 pixels, with random weights, is exported as the
Trainer exports one. It is run in three ways, each in a process of its own: by its signature alone
("raw"), behind gRPC and behind REST. CPU seconds of the server's process count; the ratios hold on
a busy machine too, the figures in images a second only on a quiet one.

    ./dev bench serving            # two minutes and a half
    ./dev bench serving --seconds 20 --swap-seconds 60
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import asdict, replace
from math import nan
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
# This file's own name hides the package.
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != _HERE]
sys.path.insert(0, str(_HERE.parent))


from benchmarks.serving_parts import (  # noqa: E402
    LOAD,
    Load,
    Process,
    ask,
    grpc_request,
    jpeg,
    measured,
    rest_request,
)
from models.numerics import compute_with_onednn  # noqa: E402
from serving.server_process import ServerProcess  # noqa: E402

compute_with_onednn()

_MANY = 32
_SWAP_SECONDS = 5.0
_MEMORY = 2 * 2**30
_HOSTILE = ("bomb", "broken", "many", "large")
"""A tensor whose one value stands for 50 million, no image, 1000 images at once, 60 MB of zeros."""
_FLAGS = ["--enable_batching", "--file_system_poll_wait_seconds=0.2"]


def _export(directory: Path) -> None:
    """In a process of its own, so that Keras does not stay in this one."""
    from benchmarks.mobilenet_export import export_mobilenet

    export_mobilenet(directory)


def _raw(directory: Path, seconds: float) -> dict[str, dict[str, float]]:
    """CPU milliseconds an image, and images a second, of the signature by itself."""
    import tensorflow as tf

    run = tf.saved_model.load(str(directory)).signatures["serving_default"]
    figures = {}
    for batch in (1, _MANY):
        images = tf.constant([jpeg()] * batch)
        for _ in range(5):
            run(image_bytes=images)
        begin, used, runs = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - begin < seconds:
            run(image_bytes=images)
            runs += 1
        figures[str(batch)] = {
            "cpu_ms": (time.process_time() - used) / (runs * batch) * 1000,
            "per_second": runs * batch / (time.perf_counter() - begin),
        }
    return figures


def _write_payloads(folder: Path) -> None:
    from tensorflow_serving.apis import predict_pb2

    request = grpc_request([jpeg()])
    (folder / "grpc").write_bytes(request.SerializeToString())
    bomb = predict_pb2.PredictRequest.FromString(request.SerializeToString())
    bomb.inputs["image_bytes"].tensor_shape.dim[0].size = 50_000_000
    (folder / "bomb").write_bytes(bomb.SerializeToString())
    for name, images in (("broken", [b"no image"]), ("many", [jpeg()] * 1000)):
        (folder / name).write_bytes(grpc_request(images).SerializeToString())
    (folder / "large").write_bytes(bytes(60 * 2**20))
    (folder / "rest").write_text(rest_request(jpeg()))


def _step(*arguments: str) -> Any:
    """Runs a part of this file in a process of its own."""
    command = [sys.executable, str(Path(__file__)), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _wait_for(version: int, url: str) -> None:
    """Waits until one version is available, and no other is loaded or on its way."""
    while True:
        with urllib.request.urlopen(f"{url}/v1/models/m") as answer:
            statuses = json.load(answer)["model_version_status"]
        there = {int(one["version"]): one["state"] for one in statuses if one["state"] != "END"}
        if there == {version: "AVAILABLE"}:
            return
        time.sleep(0.2)


def _swapped(base: Path, process: Process, url: str, load: Load) -> dict[str, Any]:
    """A new version every five seconds under load."""
    before = process.megabytes()
    number = 1
    done = threading.Event()

    def swap() -> None:
        nonlocal number
        while not done.wait(_SWAP_SECONDS):
            shutil.copytree(base / str(number), base / "copying")
            number += 1
            (base / "copying").rename(base / str(number))

    swapping = threading.Thread(target=swap)
    swapping.start()
    seen = measured(process, load)
    done.set()
    swapping.join()
    _wait_for(number, url)
    after = ask(replace(load, seconds=2.0))
    return {
        **seen,
        "failed": sum(count for name, count in seen["statuses"].items() if name != "OK"),
        "megabytes_before": before,
        "megabytes_after": process.megabytes(),
        "p99_ms_after": after["p99_ms"],
    }


def _hostile(
    folder: Path, process: Process, good: Load, kinds: tuple[str, ...], clients: int
) -> dict[str, Any]:
    """A good client beside some of each kind that send requests made to hurt, in 2 GB of memory."""
    resource.prlimit(process.pid, resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    attacks = [
        subprocess.Popen(
            [sys.executable, str(LOAD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in kinds
    ]
    for name, attack in zip(kinds, attacks, strict=True):
        assert attack.stdin is not None
        load = replace(good, payload=str(folder / name), clients=clients, seconds=good.seconds + 2)
        attack.stdin.write(json.dumps(asdict(load)))
        attack.stdin.close()
    time.sleep(1)
    seen = measured(process, good)
    for name, attack in zip(kinds, attacks, strict=True):
        assert attack.stdout is not None
        seen[name] = json.loads(attack.stdout.read())["statuses"]
        attack.wait()
    lives = process.lives()
    return {**seen, "lives": lives, "peak_megabytes": process.megabytes("VmHWM") if lives else nan}


def _figures(folder: Path, seconds: float, swap_seconds: float, flags: list[str]) -> dict[str, Any]:
    base = folder / "base"
    raw = _step("--raw", str(base / "1"), "--seconds", str(seconds / 2))
    with ServerProcess("m", base, log=folder / "log", flags=flags) as server:
        addresses = server.wait()
        process = Process(server.pid)
        grpc_payload, rest_payload = str(folder / "grpc"), str(folder / "rest")
        rest_target = addresses.url.removeprefix("http://")
        path = "/v1/models/m:predict"
        one = measured(process, Load(addresses.target, None, grpc_payload, 1, seconds))
        many = measured(process, Load(addresses.target, None, grpc_payload, _MANY, seconds))
        rest_one = measured(process, Load(rest_target, path, rest_payload, 1, seconds))
        rest = measured(process, Load(rest_target, path, rest_payload, _MANY, seconds))
        rate = 0.8 * many["per_second"]
        busy = measured(process, Load(addresses.target, None, grpc_payload, _MANY, seconds, rate))
        swaps = _swapped(
            base,
            process,
            addresses.url,
            Load(addresses.target, None, grpc_payload, _MANY, swap_seconds),
        )
        good = Load(addresses.target, None, grpc_payload, 1, seconds)
        hostile = _hostile(folder, process, good, _HOSTILE, 4)
        large = _hostile(folder, process, good, ("large",), 12) if hostile["lives"] else hostile
    single, batch = raw["1"], raw[str(_MANY)]
    return {
        "one client / raw batch-1, CPU": single["cpu_ms"] / one["cpu_ms"],
        "one client / raw batch-1, images a second": one["per_second"] / single["per_second"],
        "CPU of 32 clients over raw batch-32": many["cpu_ms"] / batch["cpu_ms"],
        "32 clients / raw batch-32, images a second": many["per_second"] / batch["per_second"],
        "REST / gRPC, 32 clients, CPU": many["cpu_ms"] / rest["cpu_ms"],
        "REST / gRPC, 1 client, CPU": one["cpu_ms"] / rest_one["cpu_ms"],
        "p99 / p50 at 80 % of the peak": busy["p99_ms"] / busy["p50_ms"],
        "requests failed in swaps": swaps["failed"],
        "p99 while versions are swapped / after": swaps["p99_ms"] / swaps["p99_ms_after"],
        "MB after swaps / before": swaps["megabytes_after"] / swaps["megabytes_before"],
        "the server outlives hostile requests in 2 GB (1: yes)": float(hostile["lives"]),
        "ms of the slowest good request beside hostile ones": hostile["slowest_ms"],
        "ms of the slowest good request beside 12 clients of 60 MB": large["slowest_ms"],
        "the server outlives those too (1: yes)": float(large["lives"]),
        "MB at most, hostile requests included": large["peak_megabytes"],
        "raw": raw,
        "one": one,
        "many": many,
        "rest": rest,
        "rest_one": rest_one,
        "busy": busy,
        "swaps": swaps,
        "hostile": hostile,
        "large": large,
    }


def main() -> None:
    """Prints each figure on a line of its own, and all that was seen as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--swap-seconds", type=float, default=20.0, help="of the swaps under load")
    parser.add_argument("--flag", action="append", default=[], help="of the server, in addition")
    parser.add_argument("--export", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--raw", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.export is not None:
        _export(options.export / "base" / "1")
        _write_payloads(options.export)
        print("{}")
    elif options.raw is not None:
        print(json.dumps(_raw(options.raw, options.seconds)))
    else:
        with tempfile.TemporaryDirectory(prefix="graft-serving-") as name:
            folder = Path(name)
            _step("--export", name)
            flags = [*_FLAGS, *options.flag]
            seen = _figures(folder, options.seconds, options.swap_seconds, flags)
        for label, value in seen.items():
            if isinstance(value, (int, float)):
                print(f"{label:<58} {value:>8.2f}")
        print(json.dumps(seen))


if __name__ == "__main__":
    main()
