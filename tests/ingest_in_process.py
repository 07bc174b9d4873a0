"""Ingest without TFX and Beam: the real reading, splitting and writing, in some milliseconds."""

import shutil
from pathlib import Path

from components.example_gen.ingest import Ingested, Plan, ingest_source, read_source
from components.example_gen.settings import IngestSettings
from components.example_gen.shards import ShardResult, cut_shards, write_shard


def ingest_in_process(
    path: Path, scratch: Path, settings: IngestSettings | None = None, seed: int = 0
) -> Ingested:
    """Ingests what lies at a path.

    Args:
        path: of a source.
        scratch: folder whose content is replaced by the examples.
        settings: the defaults where there are none.
        seed: of the split.
    """
    settings = settings or IngestSettings()

    def write(plan: Plan) -> ShardResult:
        total = ShardResult()
        shutil.rmtree(scratch, ignore_errors=True)
        for split, images in plan.splits.items():
            directory = scratch / f"Split-{split}"
            directory.mkdir(parents=True)
            for shard in cut_shards(split, images, seed):
                for result in write_shard(shard, str(directory), settings.max_pixels):
                    total.images += result.images
                    total.left_out += result.left_out
                    total.converted.update(result.converted)
        return total

    with read_source(str(path), settings, "") as source:
        return ingest_source(source, settings, seed, write)
