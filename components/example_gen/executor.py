"""Writes the examples with Beam, and the quarantine.

A Beam element is the name of a shard of some thousand images, which the worker reads, converts
and writes itself with all its cores: neither images nor long lists travel between Beam's stages.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import apache_beam as beam
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import Artifact, artifact_utils
from typing_extensions import override

from components.artifact_names import INGEST_FILE, QUARANTINE_FILE
from components.artifact_types import Artifacts, Params
from components.beam_worker import IN_THIS_PROCESS, others
from components.example_gen.driver import FINGERPRINT, LOCATIONS, resolve_source
from components.example_gen.ingest import (
    Ingested,
    ingest_source,
    read_source,
)
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.kept_test import KEPT_TEST, kept_images
from components.example_gen.measures import Measures, MeasuresMemory
from components.example_gen.quarantine import account, as_lines
from components.example_gen.replay import choose_replay, write_replay
from components.example_gen.shard_worker import (
    RESULT,
    WriteShard,
    read_text,
    shard_progress,
    write_text,
)
from components.example_gen.shards import Shard, ShardResult, cut_shards
from components.example_gen.sources.entries import LeftOut
from components.example_gen.sources.spans import Location
from components.example_gen.split_plan import Plan
from components.image_register import REGISTER_FILE, ImageRegister
from models.data import example_schema
from models.data.sample_depth import (
    DEEP,
    SampleRange,
    SampleSpan,
    covering_range,
    read_sample_range,
    write_sample_range,
)
from models.errors import BadDataError, GraftError


class ImageExampleGenExecutor(base_beam_executor.BaseBeamExecutor):
    """Reads the source that the driver resolved and writes its examples and its quarantine."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Ingests.

        Args:
            input_dict: empty.
            output_dict: `examples` and `quarantine`.
            exec_properties: the component's parameters and what the driver added.

        Raises:
            BadDataError: there is nothing that a model could learn from.
            GraftError: the examples cannot be written.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        quarantine = artifact_utils.get_single_instance(output_dict["quarantine"])
        settings = IngestSettings.from_json(exec_properties["settings"])
        seed = exec_properties["seed"]
        if LOCATIONS not in exec_properties:  # Kubeflow Pipelines runs no driver
            resolve_source(exec_properties)
        locations = [Location(*each) for each in json.loads(exec_properties[LOCATIONS])]
        columns = json.loads(exec_properties["columns"])
        kept = kept_images(exec_properties[KEPT_TEST])
        classes = json.loads(exec_properties.get("classes") or "[]")
        with read_source(locations, settings, exec_properties["cache_dir"], columns) as source:
            own = {image.sha256: image.label for image in source.images}
            replay = choose_replay(exec_properties[KEPT_TEST], settings.replay, classes, own)
            memory = MeasuresMemory(
                exec_properties["cache_dir"],
                locations[0].source,
                exec_properties["code"],
                settings.max_pixels,
            )
            write = partial(self._write, memory, examples, quarantine, settings, exec_properties)
            done = ingest_source(source, settings, seed, write, kept, replay.classes)
            memory.remember(done.written.measures)
            groups = {image.group for image in source.images if image.group}
        replayed = write_replay(replay, examples.uri, columns, groups)
        register = ImageRegister.of([*_registered(done), *replayed])
        summary = _summary(done, replayed) | {
            "spans": [location.name for location in locations] if len(locations) > 1 else [],
            "kept_test": _count_kept(register, kept),
            "replayed_renamed": sum(label in replay.names for _, _, label in replayed),
            "workers": others(done.written.workers),
            "layout": source.listing.layout,
            "fingerprint": exec_properties[FINGERPRINT],
        }
        write_text(f"{quarantine.uri}/{QUARANTINE_FILE}", as_lines(done.left_out))
        text = json.dumps(summary, indent=2, ensure_ascii=False)
        write_text(f"{quarantine.uri}/{INGEST_FILE}", text)
        examples.set_string_custom_property(FINGERPRINT, exec_properties[FINGERPRINT])
        # Replayed images were scaled before; what is served scales as the newest ones were.
        sample_range = done.written.sample_range or read_sample_range(replay.examples_uri)
        write_sample_range(examples.uri, sample_range if replayed else done.written.sample_range)
        register.save(Path(examples.uri) / REGISTER_FILE)
        examples.split_names = artifact_utils.encode_split_names(list(done.plan.splits))
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)

    def _write(
        self,
        memory: MeasuresMemory,
        examples: Artifact,
        quarantine: Artifact,
        settings: IngestSettings,
        parameters: Params,
        plan: Plan,
    ) -> "_Written":
        """Writes all splits and returns what became of the images.

        Shards with images of more than 8 bits a channel are written once more where nobody named
        the range of their samples: it is that of the whole set.
        """
        parts = f"{quarantine.uri}/parts"
        directories = {split: f"{examples.uri}/Split-{split}" for split in plan.splits}
        for directory in (parts, *directories.values()):
            if fileio.exists(directory):  # of a first pass
                fileio.rmtree(directory)
            fileio.makedirs(directory)
        shards = [
            shard
            for split, images in plan.splits.items()
            for shard in cut_shards(split, images, parameters["seed"], memory.known)
        ]
        for shard in shards:
            write_text(f"{parts}/{shard.name}.shard", shard.to_json())
        columns = tuple(json.loads(parameters["columns"]))
        write = partial(
            WriteShard, directories, parts, settings.max_pixels, columns, parameters["code"]
        )
        sample_range = SampleRange(*settings.sample_range) if settings.sample_range else None
        self._write_shards(shards, write(sample_range))
        written = _merge(parts)
        if written.span:
            sample_range = covering_range(written.span)
            deep = [shard for shard in shards if shard.name in written.deep]
            self._write_shards(deep, write(sample_range))
            written = _merge(parts)
        fileio.rmtree(parts)
        if any(written.converted[name] for name in DEEP):
            written.sample_range = sample_range
        return written

    def _write_shards(self, shards: Sequence[Shard], write: "WriteShard") -> None:
        shard_progress.start(sum(len(shard.images) for shard in shards))
        names = [shard.name for shard in shards]
        # Several workers get a share of the names each only after a shuffle. Where there is one,
        # to lay out a shuffle costs as much as to ingest two hundred photos.
        alone = IN_THIS_PROCESS in (self._beam_pipeline_args or ())
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(names, reshuffle=not alone)
                | "Write" >> beam.ParDo(write)
            )


@dataclasses.dataclass(slots=True)
class _Written(ShardResult):
    """What became of all images.

    Attributes:
        deep: names of the shards that `span` is of.
    """

    deep: set[str] = dataclasses.field(default_factory=set)


def _merge(parts: str) -> _Written:
    total = _Written()
    for name in sorted(fileio.listdir(parts)):
        if not name.endswith(RESULT):
            continue
        part = json.loads(read_text(f"{parts}/{name}"))
        if failure := part["failure"]:
            raise (BadDataError if failure["bad_data"] else GraftError)(failure["message"])
        if part["span"]:
            total.deep.add(name.removesuffix(RESULT))
        total.add(
            ShardResult(
                left_out=[LeftOut(*values) for values in part["left_out"]],
                converted=Counter(part["converted"]),
                workers=Counter(part["workers"]),
                span=SampleSpan(*part["span"]) if part["span"] else None,
                measures={key: Measures(*each) for key, each in part["measures"].items()},
            )
        )
    return total


def _registered(done: Ingested) -> Iterator[tuple[str, str, str]]:
    """Digest, split and class of each image that was written."""
    gone = {one.name for one in done.left_out}
    for split, images in done.plan.splits.items():
        for image in images:
            if image.name not in gone:
                yield image.sha256, split, image.label


def _count_kept(register: ImageRegister, kept: frozenset[str]) -> int:
    return sum(digest.hex() in kept for digest in register.in_splits(example_schema.TEST))


def _summary(done: Ingested, replayed: Sequence[tuple[str, str, str]]) -> dict[str, object]:
    sample_range = done.written.sample_range
    classes = done.classes + Counter(label for _, _, label in replayed)
    splits = done.splits + Counter(split for _, split, _ in replayed)
    return {
        **account(done.counts.total() + len(replayed), done.left_out),
        "replayed": len(replayed),
        "classes": dict(sorted(classes.items())),
        "lost_classes": list(done.lost_classes),
        "splits": {split: splits[split] for split in done.plan.splits},
        "converted": dict(sorted(done.written.converted.items())),
        "sample_range": sample_range and dataclasses.astuple(sample_range),
        "split_source": done.plan.source,
        "carved": list(done.plan.carved),
    }
