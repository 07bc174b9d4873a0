"""Ingest and embedding on two of Beam's worker pools, each a process on this machine."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from beam_pools import two_pools
from free_ports import free_port
from tfx.orchestration import metadata, pipeline as tfx_pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner

from components.artifact_names import EMBEDDED_BY_FILE
from components.beam_embedding.run import embedding_on_workers
from components.beam_worker import process_name
from components.code_fingerprint import code_fingerprint
from components.example_gen.component import ImageExampleGen
from components.example_gen.ingest_settings import IngestSettings
from models.backbones import Backbone, build_backbone
from models.data import example_schema
from models.data.image_decoding import ImageSpec
from models.embedding import EmbeddingInfo, extraction
from models.embedding.extraction import extract
from models.errors import GraftError
from pipeline.beam.beam_settings import BeamSettings

CODE = code_fingerprint("components.example_gen")


@pytest.fixture(scope="module")
def pools() -> Iterator[tuple[str, ...]]:
    with two_pools() as addresses:
        yield addresses


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


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return build_backbone("EfficientNetLite0", "imagenet", 32, features="all")


@pytest.fixture(scope="module")
def examples(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("examples")
    ingest(folder, digits_folder, BeamSettings().arguments)
    (uri,) = folder.glob("artifacts/ImageExampleGen/examples/*")
    return str(uri)


def embed(
    folder: Path, examples: str, backbone: Backbone, arguments: list[str] | None = None
) -> EmbeddingInfo:
    """Embeds all splits into a folder of its own."""
    (folder / "embeddings").mkdir(parents=True, exist_ok=True)
    with embedding_on_workers(
        BeamSettings().arguments if arguments is None else arguments, str(folder / "embeddings")
    ):
        return extract(
            examples,
            example_schema.SPLITS,
            backbone,
            "imagenet",
            ImageSpec(32),
            cache_directory=str(folder / "cache"),
            output_uri=str(folder / "embeddings"),
        )


def features(folder: Path) -> dict[str, bytes]:
    """What was kept and what was written of the images."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.suffix in (".npy", ".npz")
    }


@pytest.mark.slow
def test_two_pools_embed_what_one_process_embeds(
    pools: tuple[str, ...], examples: str, backbone: Backbone, tmp_path: Path
) -> None:
    alone = embed(tmp_path / "alone", examples, backbone)
    arguments = BeamSettings(workers=pools).arguments
    shared = embed(tmp_path / "shared", examples, backbone, arguments)
    # Three shards of two files, three splits of two.
    assert len(features(tmp_path / "alone")) == 12
    assert features(tmp_path / "alone") == features(tmp_path / "shared")
    assert replace(shared, seconds=0) == replace(alone, seconds=0)
    told = tmp_path / "shared" / "embeddings" / EMBEDDED_BY_FILE
    workers = json.loads(told.read_text())
    assert len(workers) == 2
    assert process_name() not in workers
    assert sum(workers.values()) == shared.computed == 200
    assert not (tmp_path / "alone" / "embeddings" / EMBEDDED_BY_FILE).exists()
    # What is there already needs no worker.
    told.unlink()
    again = embed(tmp_path / "shared", examples, backbone, ["--runner=nowhere.Runner"])
    assert again.reused == 200
    assert not told.exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_was_embedded_before_a_worker_died_is_kept(
    pools: tuple[str, ...],
    examples: str,
    backbone: Backbone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extraction, "SHARD", 4)
    work = tmp_path / "shared" / "cache"

    def kill_one() -> None:
        while not (results := list(work.glob("*/work/*.result"))):
            time.sleep(0.01)
        (name,) = json.loads(results[0].read_text())
        os.kill(int(name.rpartition("process ")[2].rstrip(")")), signal.SIGKILL)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    with pytest.raises(GraftError, match="went away"):
        embed(tmp_path / "shared", examples, backbone, BeamSettings(workers=pools).arguments)
    killer.join()
    kept = features(tmp_path / "shared")
    assert kept
    assert not list(work.glob("*/work"))
    resumed = embed(tmp_path / "shared", examples, backbone)
    assert 0 < resumed.reused == 200 - resumed.computed
    embed(tmp_path / "alone", examples, backbone)
    assert features(tmp_path / "shared") == features(tmp_path / "alone")
    assert kept.items() < features(tmp_path / "shared").items()


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
