"""Ingest on two of Beam's worker pools, each a process of its own on this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from tfx.orchestration import metadata, pipeline as tfx_pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner

from components.beam_worker import process_name
from components.code_fingerprint import code_fingerprint
from components.example_gen.component import ImageExampleGen
from components.example_gen.ingest_settings import IngestSettings
from models.errors import GraftError
from pipeline.beam.beam_settings import BeamSettings

ROOT = Path(__file__).parents[2]
CODE = code_fingerprint("components.example_gen")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def pools() -> Iterator[tuple[str, ...]]:
    """Addresses of two worker pools."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    with ExitStack() as stack:
        addresses = []
        for _ in range(2):
            port = free_port()
            module = "apache_beam.runners.worker.worker_pool_main"
            pool = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", module, f"--service_port={port}"],
                    stderr=subprocess.DEVNULL,
                    env=environment,
                )
            )
            stack.callback(pool.send_signal, signal.SIGINT)
            while not listens(port):
                assert pool.poll() is None, "the pool could not start"
                time.sleep(0.1)
            addresses.append(f"127.0.0.1:{port}")
        yield tuple(addresses)


def ingest(folder: Path, data: Path, arguments: list[str], code: str = CODE) -> dict[str, Any]:
    """Runs ImageExampleGen in a folder of its own; returns `ingest.json`."""
    node = ImageExampleGen(
        path=str(data),
        settings=IngestSettings().to_json(),
        seed=0,
        columns="[]",
        cache_dir=str(folder / "cache"),
        code=code,
    )
    LocalDagRunner().run(
        tfx_pipeline.Pipeline(
            "test",
            str(folder / "artifacts"),
            components=[node],
            metadata_connection_config=metadata.sqlite_metadata_connection_config(
                str(folder / "metadata.db")
            ),
            beam_pipeline_args=arguments,
        )
    )
    (told,) = folder.glob("artifacts/ImageExampleGen/quarantine/*/ingest.json")
    summary: dict[str, Any] = json.loads(told.read_text())
    return summary


def records(folder: Path) -> dict[str, bytes]:
    (examples,) = folder.glob("artifacts/ImageExampleGen/examples/*")
    return {
        str(file.relative_to(examples)): file.read_bytes() for file in examples.rglob("*tfrecord*")
    }


@pytest.mark.slow
def test_two_pools_write_what_one_process_writes(
    pools: tuple[str, ...], digits_folder: Path, tmp_path: Path
) -> None:
    alone = ingest(tmp_path / "alone", digits_folder, BeamSettings().arguments)
    shared = ingest(tmp_path / "shared", digits_folder, BeamSettings(workers=pools).arguments)
    assert len(records(tmp_path / "alone")) == 3
    assert records(tmp_path / "alone") == records(tmp_path / "shared")
    workers = shared.pop("workers")
    assert len(workers) == 2
    assert process_name() not in workers
    assert sum(workers.values()) == shared["images"] == 200
    assert alone.pop("workers") == {}
    assert alone == shared


@pytest.mark.slow
def test_a_worker_with_another_graft_is_refused(
    pools: tuple[str, ...], digits_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(GraftError, match="has another Graft"):
        ingest(tmp_path, digits_folder, BeamSettings(workers=pools).arguments, code="another")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_dies_ends_the_run(pools: tuple[str, ...]) -> None:
    run = beam.Pipeline(argv=BeamSettings(workers=pools).arguments)
    _ = run | beam.Create([9, 9]) | beam.Map(os._exit)
    with pytest.raises(GraftError, match="went away"):
        run.run()


@pytest.mark.slow
def test_a_worker_that_fails_says_why(pools: tuple[str, ...]) -> None:
    run = beam.Pipeline(argv=BeamSettings(workers=pools).arguments)
    _ = run | beam.Create(["/nowhere", "/nowhere"]) | beam.Map(os.listdir)
    with pytest.raises(GraftError, match=r"A Beam worker failed: .*/nowhere.*the same paths"):
        run.run()


def test_a_pool_that_is_not_there_is_named() -> None:
    address = f"127.0.0.1:{free_port()}"
    run = beam.Pipeline(argv=BeamSettings(workers=(address,)).arguments)
    _ = run | beam.Create([1])
    with pytest.raises(GraftError, match=f"no worker pool answers at {address}"):
        run.run()
