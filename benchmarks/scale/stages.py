"""What each stage of a run costs as the data grows: time and processor time an image, and memory.

Draws as many photos as are asked for (`synthetic_images.py`) and runs the stages over them, in one
process, as `graft run` does; after ingest all images are embedded once, which the stages after it
then need not do. The peak of memory is counted anew for each stage, without what the system maps
from files and may take back at any time; it holds what the process keeps of the stages before it.
Where it is stopped, the same command goes on: what is done comes from TFX's cache and that of the
embeddings, and its figures from the file of results.

    ./dev bench scale/stages --images 1000
    ./dev bench scale/stages --images 10000
    ./dev bench scale/stages --table
"""

import argparse
import json
import resource
import threading
import time
from pathlib import Path
from typing import Any, Final

from synthetic_images import write_images

from components.beam_embedding.run import embedding_on_workers
from models import progress
from models.backbones import build_backbone
from models.data import example_schema
from models.data.image_decoding import ImageSpec
from models.embedding.extraction import extract
from pipeline import dag
from pipeline.config import Config
from pipeline.local_runner import run_pipeline
from pipeline.metadata_place import place_of
from pipeline.node_names import RESOLVERS
from pipeline.workspace import Workspace

RESULTS: Final = "results.json"
INGEST: Final = "ImageExampleGen"
EMBED: Final = "(embedding)"
EMBEDDED: Final = "embedded"
"""Folder of the embeddings."""
_OUT: Final = Path("benchmarks/out/scale")
_HEAD: Final = "| stage | images | s | ms an image | CPU ms an image | peak MB |"


def main() -> None:
    """Measures one size, or prints the table of all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=1_000)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--until", default="Trainer", help="last stage")
    parser.add_argument("--out", type=Path, default=_OUT)
    parser.add_argument("--table", action="store_true", help="print what was measured")
    options = parser.parse_args()
    if options.table:
        _print_table(options.out)
        return
    folder = (options.out / str(options.images)).resolve()
    write_images(folder / "data", range(options.images))
    measure(folder, folder / "data", options.image_size, options.until)


def measure(
    folder: Path, data: Path, image_size: int, until: str, workers: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Runs the stages of a run, and notes what each cost that was not done before.

    Args:
        folder: of the workspace and the results.
        data: a folder per class.
        image_size: side of the square that the backbone sees.
        until: last stage.
        workers: addresses of Beam's worker pools; none for this process.
    """
    config = Config.model_validate(
        {
            "workspace": str(folder / "work"),
            "data": {"path": str(data)},
            "model": {"image_size": image_size},
            "tuning": {"budget": 0},
            "training": {"strategy": "feature_extraction"},
            "beam": {"workers": workers},
        }
    )
    workspace = Workspace(config.workspace_path)
    results = _Results(folder)
    with workspace.hold(wait=False):
        workspace.artifacts.mkdir(exist_ok=True)
        meter = _Meter()
        graph = dag.build_pipeline(config, place_of(workspace).connection(writes=True))
        for stage in run_pipeline(graph, "scale", meter.begin, until):
            figures = meter.end()
            # In a run of the same name, what is done counts as done by it, not as cached.
            is_new = not stage.cached and stage.name not in results.found["stages"]
            if is_new and stage.name not in RESOLVERS:
                results.note(stage.name, figures)
            if stage.name == INGEST and "images" not in results.found:
                images = _embed(config, stage.outputs["examples"], folder, results)
                results.found["images"] = images
            results.found["bytes"] = _sizes(workspace)
            results.write()
    return results.found


class _Results:
    """The file of results."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.found = _read(folder)

    def note(self, stage: str, figures: dict[str, float]) -> None:
        self.found["stages"][stage] = figures
        self.write()

    def write(self) -> None:
        (self._folder / RESULTS).write_text(json.dumps(self.found, indent=2))


def _embed(config: Config, examples_uri: str, folder: Path, results: _Results) -> int:
    """Embeds all images, or those that a call which was stopped left over."""
    before = results.found["stages"].get(EMBED, {})
    meter = _Meter()
    meter.begin()

    def note(_: progress.Progress) -> None:
        so_far = meter.so_far()
        together = {key: before.get(key, 0.0) + so_far[key] for key in ("seconds", "cpu_seconds")}
        peak = max(before.get("peak_mb", 0.0), so_far["peak_mb"])
        results.note(EMBED, together | {"peak_mb": peak})

    with progress.listening(note):
        images = _extract(config, examples_uri, folder)
    note(progress.Progress(images, images, "images"))
    meter.end()
    return images


def _extract(config: Config, examples_uri: str, folder: Path) -> int:
    first = config.model.resolved_candidates[0]
    backbone = build_backbone(
        first.backbone, first.weights, first.image_size, features=config.model.features
    )
    embedded = folder / EMBEDDED
    embedded.mkdir(exist_ok=True)
    with embedding_on_workers(config.beam.arguments, str(embedded)):
        info = extract(
            examples_uri,
            example_schema.SPLITS,
            backbone,
            first.weights,
            ImageSpec(backbone.image_size, config.model.resize),
            cache_directory=str(Workspace(config.workspace_path).cache / "embeddings"),
            output_uri=str(embedded),
        )
    return info.images


class _Meter:
    """Time, processor time of this process and its children, and peak memory."""

    def begin(self, _: str = "") -> None:
        """Begins to measure."""
        self._peak = 0.0
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._start = time.monotonic(), cpu_seconds()
        self._watch.start()

    def so_far(self) -> dict[str, float]:
        """The figures since `begin`."""
        wall, cpu = self._start
        return {
            "seconds": time.monotonic() - wall,
            "cpu_seconds": cpu_seconds() - cpu,
            "peak_mb": self._peak,
        }

    def end(self) -> dict[str, float]:
        """Ends it."""
        self._ended.set()
        self._watch.join()
        return self.so_far()

    def _look(self) -> None:
        while True:
            self._peak = max(self._peak, _own_megabytes())
            if self._ended.wait(0.05):
                return


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def _own_megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def _sizes(workspace: Workspace) -> dict[str, int]:
    places = (workspace.metadata, workspace.cache, workspace.artifacts)
    return {place.name: _size(place) for place in places}


def _size(place: Path) -> int:
    files = [place, *place.rglob("*")]
    return sum(file.lstat().st_size for file in files if file.is_file())


def _read(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / RESULTS).read_bytes())
    except FileNotFoundError:
        return {"stages": {}}
    return found


def _print_table(out: Path) -> None:
    sizes = [_read(file.parent) for file in out.glob(f"*/{RESULTS}")]
    sizes = [size for size in sizes if "images" in size]
    sizes.sort(key=lambda size: int(size["images"]))
    print(f"{_HEAD}\n|---|---|---|---|---|---|")
    for stage in sizes[-1]["stages"]:
        for size in sizes:
            if stage in size["stages"]:
                print(_row(stage, size["images"], size["stages"][stage]))
    for size in sizes:
        told = ", ".join(f"{name} {count / 1e6:.1f} MB" for name, count in size["bytes"].items())
        print(f"{size['images']:,} images: {told}")


def _row(stage: str, images: int, figures: dict[str, float]) -> str:
    wall, cpu = figures["seconds"], figures["cpu_seconds"]
    cells = [
        stage,
        f"{images:,}",
        f"{wall:.1f}",
        f"{1000 * wall / images:.2f}",
        f"{1000 * cpu / images:.2f}",
        f"{figures['peak_mb']:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
