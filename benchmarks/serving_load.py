"""A client of `benchmarks/serving.py`, in a process of its own that imports no TensorFlow.

Reads what to do as JSON from its standard input and prints what it saw as JSON: see `Load` there.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import uvloop

Ask = Callable[[], Awaitable[str]]
_PREDICT = "/tensorflow.serving.PredictionService/Predict"


def _grpc_client(target: str, payload: bytes) -> Ask:
    """Asks over a connection of its own; returns the name of the status."""
    channel = grpc.aio.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)])
    predict = channel.unary_unary(_PREDICT)

    async def ask() -> str:
        try:
            await predict(payload, timeout=60)
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return "OK"

    return ask


def _rest_client(target: str, path: str, payload: bytes) -> Ask:
    """Asks over a connection of its own, kept alive; returns "OK" or the HTTP status."""
    host, port = target.rsplit(":", 1)
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(payload)}\r\n\r\n"
    kept: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask() -> str:
        if not kept:
            kept.append(await asyncio.open_connection(host, int(port)))
        reader, writer = kept[0]
        writer.write(head.encode() + payload)
        try:
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(answer.partition("content-length:")[2].split()[0])
            await reader.readexactly(length)
        except asyncio.IncompleteReadError:
            kept.clear()
            return "closed"
        status = answer.split()[1]
        return "OK" if status == "200" else status

    return ask


async def _timed(ask: Ask, seen: Counter[str], latencies: list[float]) -> None:
    begin = time.perf_counter()
    seen[await ask()] += 1
    latencies.append(time.perf_counter() - begin)


async def _closed(asks: list[Ask], seconds: float) -> tuple[Counter[str], list[float]]:
    """Each client asks anew as soon as it has its answer."""
    seen: Counter[str] = Counter()
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def client(ask: Ask) -> None:
        while time.perf_counter() < end:
            await _timed(ask, seen, latencies)

    await asyncio.gather(*map(client, asks))
    return seen, latencies


def _alone(target: str, payload: bytes, seconds: float) -> tuple[Counter[str], list[float]]:
    """One client of gRPC that blocks: asyncio's part of its time would count as the server's."""
    seen: Counter[str] = Counter()
    latencies: list[float] = []
    end = time.perf_counter() + seconds
    with grpc.insecure_channel(target) as channel:
        predict = channel.unary_unary(_PREDICT)
        while (begin := time.perf_counter()) < end:
            try:
                predict(payload, timeout=60)
                seen["OK"] += 1
            except grpc.RpcError as error:
                seen[error.code().name] += 1
            latencies.append(time.perf_counter() - begin)
    return seen, latencies


async def _open(asks: list[Ask], seconds: float, rate: float) -> tuple[Counter[str], list[float]]:
    """Requests come at random, `rate` a second, whether the earlier ones are answered or not."""
    seen: Counter[str] = Counter()
    latencies: list[float] = []
    draw = random.Random(0)
    tasks = []
    due = time.perf_counter()
    end = due + seconds
    number = 0
    while (due := due + draw.expovariate(rate)) < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        ask = asks[number % len(asks)]
        number += 1
        tasks.append(asyncio.ensure_future(_timed(ask, seen, latencies)))
    await asyncio.gather(*tasks)
    return seen, latencies


async def _main(asked: dict[str, Any]) -> dict[str, Any]:
    payload = Path(asked["payload"]).read_bytes()
    asks = [
        _grpc_client(asked["target"], payload)
        if asked["path"] is None
        else _rest_client(asked["target"], asked["path"], payload)
        for _ in range(asked["clients"])
    ]
    await asyncio.gather(*(ask() for ask in asks))
    begin, used = time.perf_counter(), time.process_time()
    if asked["rate"] is None and asked["path"] is None and asked["clients"] == 1:
        seen, latencies = _alone(asked["target"], payload, asked["seconds"])
    elif asked["rate"] is None:
        seen, latencies = await _closed(asks, asked["seconds"])
    else:
        seen, latencies = await _open(asks, asked["seconds"], asked["rate"])
    latencies.sort()
    return {
        "statuses": seen,
        "requests": len(latencies) + len(asks),
        "per_second": len(latencies) / (time.perf_counter() - begin),
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
        "slowest_ms": latencies[-1] * 1000,
        "client_cpu_ms": (time.process_time() - used) / len(latencies) * 1000,
    }


if __name__ == "__main__":
    uvloop.install()
    print(json.dumps(asyncio.run(_main(json.load(sys.stdin)))))
