"""Ingest without TFX and Beam: the real reading, splitting and writing, in some milliseconds."""

import shutil
from collections.abc import Callable
from pathlib import Path

from components.example_gen.ingest import Ingested, ingest_source, read_source
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.shards import ShardResult, cut_shards, write_shard
from components.example_gen.sources.spans import Location
from components.example_gen.split_plan import Plan
from models.data.sample_depth import SampleRange, covering_range


def write_in_process(
    scratch: Path, settings: IngestSettings, seed: int = 0
) -> Callable[[Plan], ShardResult]:
    """Returns what writes a plan.

    Args:
        scratch: folder whose content is replaced by the examples.
        settings: of ingest.
        seed: of the order.
    """

    def write(plan: Plan) -> ShardResult:
        total = write_all(plan, None)
        # Images of more than 8 bits are measured first, and written once their range is known.
        return write_all(plan, covering_range(total.span)) if total.span else total

    def write_all(plan: Plan, sample_range: SampleRange | None) -> ShardResult:
        total = ShardResult()
        shutil.rmtree(scratch, ignore_errors=True)
        for split, images in plan.splits.items():
            directory = scratch / f"Split-{split}"
            directory.mkdir(parents=True)
            for shard in cut_shards(split, images, seed):
                for result in write_shard(shard, str(directory), settings.max_pixels, sample_range):
                    total.add(result)
        return total

    return write


def ingest_in_process(path: Path, scratch: Path) -> Ingested:
    """Ingests what lies at a path with the default settings.

    Args:
        path: of a source.
        scratch: folder whose content is replaced by the examples.
    """
    settings = IngestSettings()
    with read_source([Location(str(path))], settings, "") as source:
        return ingest_source(source, settings, 0, write_in_process(scratch, settings))
