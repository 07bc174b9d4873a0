"""Writes the images without labels as examples, and what was left out."""

import json
from collections.abc import Iterator
from pathlib import Path

from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_names import INGEST_FILE, QUARANTINE_FILE
from components.artifact_types import Artifacts, Params
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.quarantine import account, as_lines
from components.example_gen.shards import ShardResult, cut_shards, write_shard
from components.example_gen.sources.entries import LabelledImage, LeftOut
from components.unlabelled_images.unlabelled_folder import read_folder, require_enough
from models import progress
from models.data.example_reader import derived_features
from models.data.example_schema import SHA256, SPLITS, UNLABELLED
from models.data.sample_depth import SampleRange, covering_range, read_sample_range


class Executor(base_executor.BaseExecutor):
    """Writes the artifacts Examples and Quarantine."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.unlabelled_images.component`.

        Raises:
            BadDataError: too few images can be used, or a file changed while it was read.
        """
        labelled = artifact_utils.get_single_uri(input_dict["labelled"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        quarantine = Path(artifact_utils.get_single_uri(output_dict["quarantine"]))
        settings = IngestSettings.from_json(exec_properties["settings"])
        folder = read_folder(
            exec_properties["path"],
            settings,
            exec_properties["cache_dir"],
            exec_properties["key"],
        )
        known = set(_digests(labelled))
        fresh = [image for image in folder.images if image.sha256 not in known]
        again = [_known(image) for image in folder.images if image.sha256 in known]
        left_out = [*folder.left_out, *again]
        written = _write(
            fresh,
            Path(examples.uri) / f"Split-{UNLABELLED}",
            settings.max_pixels,
            read_sample_range(labelled),
            exec_properties["seed"],
        )
        left_out += written.left_out
        unread = {each.name for each in written.left_out}
        used = [image for image in fresh if image.name not in unread]
        path, key = exec_properties["path"], exec_properties["key"]
        require_enough(used, left_out, exec_properties["least"], path, key)
        numbers = account(len(used), left_out)
        (quarantine / QUARANTINE_FILE).write_text(as_lines(left_out), "utf-8")
        (quarantine / INGEST_FILE).write_text(json.dumps(numbers, indent=2), "utf-8")
        examples.split_names = artifact_utils.encode_split_names([UNLABELLED])
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)


def _digests(examples_uri: str) -> Iterator[str]:
    for split in SPLITS:
        yield from map(str, derived_features(examples_uri, split)[SHA256])


def _known(image: LabelledImage) -> LeftOut:
    reason = "a labelled image has the same bytes"
    return LeftOut(image.name, "labelled_already", reason, "passed_over")


def _write(
    images: list[LabelledImage],
    directory: Path,
    max_pixels: int,
    sample_range: SampleRange | None,
    seed: int,
) -> ShardResult:
    """Writes all shards; deep images by the labelled ones' range, or else by their own."""
    directory.mkdir(parents=True, exist_ok=True)
    total = ShardResult()
    for shard in cut_shards(UNLABELLED, images, seed):
        for result in write_shard(shard, str(directory), max_pixels, sample_range):
            total.add(result)
            progress.report(total.images, len(images), "images")
    if total.span is None:
        return total
    return _write(images, directory, max_pixels, covering_range(total.span), seed)
