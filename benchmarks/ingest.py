"""Figure 3: ingest against decoding alone, in images a second a core.

Ingest is everything between a folder and `tf.Example`s on disk: listing, digests, the split, a
full decode to find broken files, the derived features, the Beam pipeline, writing. Decoding is
`tf.io.decode_image` over the same files, called eagerly from one thread, which costs less than
`tf.data` does. Both are measured in CPU seconds of all threads, so that other work on the machine
does not count; the fewest of several alternating rounds stand. The third figure is of images that
were there the night before: their digests and measures are remembered.

    ./dev python benchmarks/ingest.py --data ../shared/data/clothing
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from tfx.types import standard_artifacts

from components.artifact_types import Quarantine
from components.code_fingerprint import code_fingerprint
from components.example_gen.driver import FINGERPRINT, LOCATIONS
from components.example_gen.executor import ImageExampleGenExecutor
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.kept_test import KEPT_TEST
from components.example_gen.sources.listing import list_source, resolve
from pipeline.beam.beam_settings import BeamSettings

_REACH = 0.6


def main() -> None:
    """Prints the rates and the ratio of the first two."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", required=True, help="folder with a folder per class")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each, alternating")
    arguments = parser.parse_args()
    (location,) = resolve(arguments.data)
    path = location.path
    files = [Path(file.path) for file in list_source(path, IngestSettings()).files]
    ingested, again, decoded = [], [], []
    _decode(files[:50])
    with tempfile.TemporaryDirectory() as memory:
        _ingest(path, memory)  # the first pipeline of a process loads much of Beam
        for _ in range(arguments.rounds):
            decoded.append(_cpu_seconds(lambda: _decode(files)))
            ingested.append(_cpu_seconds(lambda: _ingest(path)))
            again.append(_cpu_seconds(lambda: _ingest(path, memory)))
    ingest_rate = len(files) / min(ingested)
    decode_rate = len(files) / min(decoded)
    print(f"images                       {len(files):>8}")
    print(f"ingest, images/s/core        {ingest_rate:>8.0f}")
    print(f"decode_image, images/s/core  {decode_rate:>8.0f}")
    print(f"ratio (reach {_REACH})            {ingest_rate / decode_rate:>8.2f}")
    print(f"ingest again, images/s/core  {len(files) / min(again):>8.0f}")


def _cpu_seconds(work: Callable[[], None]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _decode(files: list[Path]) -> None:
    for file in files:
        tf.io.decode_image(file.read_bytes())


def _ingest(path: str, memory: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        examples = standard_artifacts.Examples()
        quarantine = Quarantine()
        examples.uri = f"{folder}/examples"
        quarantine.uri = f"{folder}/quarantine"
        context = ImageExampleGenExecutor.Context(
            beam_pipeline_args=BeamSettings().arguments, tmp_dir=f"{folder}/tmp", unique_id="1"
        )
        ImageExampleGenExecutor(context).Do(
            {},
            {"examples": [examples], "quarantine": [quarantine]},
            {
                "settings": IngestSettings().to_json(),
                "seed": 0,
                "columns": "[]",
                "cache_dir": memory,
                LOCATIONS: json.dumps([[path]]),
                "code": code_fingerprint("components.example_gen"),
                FINGERPRINT: "",
                KEPT_TEST: "",
            },
        )


if __name__ == "__main__":
    main()
