"""Ingest as a pipeline runs it, in a workspace of a test's own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfx.orchestration import metadata, pipeline as tfx_pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner

from components.example_gen.component import ImageExampleGen
from components.example_gen.ingest_settings import IngestSettings
from models.data.example_reader import read_records
from pipeline.beam.beam_settings import BeamSettings


@dataclass(frozen=True)
class Ingested:
    """What the newest execution wrote."""

    examples: Path
    quarantine: Path
    executions: int

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.quarantine / "ingest.json").read_text())

    @property
    def refused(self) -> dict[str, str]:
        lines = (self.quarantine / "quarantine.jsonl").read_text().splitlines()
        return {line["name"]: line["code"] for line in map(json.loads, lines)}

    def names(self, split: str) -> list[str]:
        return [record.name for record in read_records(str(self.examples), split)]


Ingest = Callable[..., Ingested]


def ingest_in(workspace: Path) -> Ingest:
    """Runs the component in a folder."""

    def run(path: Path | str, seed: int = 0, columns: str = "[]", **settings: Any) -> Ingested:
        node = ImageExampleGen(
            path=str(path),
            settings=IngestSettings(**settings).to_json(),
            seed=seed,
            columns=columns,
            cache_dir=str(workspace / "cache"),
            code="",
        )
        store = metadata.sqlite_metadata_connection_config(str(workspace / "metadata.db"))
        LocalDagRunner().run(
            tfx_pipeline.Pipeline(
                "test",
                str(workspace / "artifacts"),
                components=[node],
                enable_cache=True,
                metadata_connection_config=store,
                beam_pipeline_args=BeamSettings().arguments,
            )
        )
        base = workspace / "artifacts" / "ImageExampleGen"
        newest = max((base / "examples").iterdir(), key=lambda folder: int(folder.name))
        count = len(list((base / "examples").iterdir()))
        return Ingested(newest, base / "quarantine" / newest.name, count)

    return run
