"""What one of Beam's workers does: writes a shard.

TFX's components are not imported here, which takes a worker as long as to ingest a thousand photos.
"""

import contextlib
import dataclasses
import json
from threading import Lock
from typing import Final

import apache_beam as beam
import tensorflow as tf
from tfx.dsl.io import fileio

from components.beam_worker import check_worker, process_name
from components.code_fingerprint import code_fingerprint
from components.example_gen.shards import Shard, ShardResult, write_shard
from models import progress
from models.data.sample_depth import SampleRange
from models.errors import BadDataError, GraftError

RESULT: Final = ".result"
"""Ending of the file that says what became of a shard."""


class WriteShard(beam.DoFn):
    """Writes a shard, and beside it what became of its images.

    Both files are written anew when Beam repeats an element.
    """

    def __init__(
        self,
        directories: dict[str, str],
        parts: str,
        max_pixels: int,
        columns: tuple[str, ...],
        code: str,
        sample_range: SampleRange | None,
    ) -> None:
        """Takes what is the same for all shards.

        Args:
            directories: of the splits, by name.
            parts: folder of the shards' descriptions.
            max_pixels: images with more pixels are refused.
            columns: names of the images' `slices`.
            code: of the component, as the run has it; empty where nobody says.
            sample_range: see `write_shard`.
        """
        self._directories = directories
        self._parts = parts
        self._max_pixels = max_pixels
        self._columns = columns
        self._code = code
        self._run = process_name()
        self._sample_range = sample_range

    def process(self, name: str) -> None:
        """Writes the shard of a name."""
        shard = Shard.from_json(read_text(f"{self._parts}/{name}.shard"))
        total = ShardResult()
        failure = None
        directory = self._directories[shard.split]
        writing = write_shard(shard, directory, self._max_pixels, self._sample_range, self._columns)
        try:
            if process_name() != self._run:
                own = code_fingerprint("components.example_gen")
                check_worker(self._code, own, shard.images[0].path)
            for result in writing:
                total.add(result)
                shard_progress.add(result.images)
        except GraftError as error:
            failure = {"bad_data": isinstance(error, BadDataError), "message": str(error)}
        except (OSError, tf.errors.OpError) as error:
            failure = {"bad_data": False, "message": f"The examples cannot be written: {error}"}
            with contextlib.suppress(OSError, tf.errors.OpError):
                fileio.remove(f"{directory}/{shard.file_name}")  # on a full disk, makes room
        # Beam would wrap an exception in a page of its own: it travels as a value instead.
        part = {
            "left_out": [dataclasses.astuple(one) for one in total.left_out],
            "converted": total.converted,
            "span": dataclasses.astuple(total.span) if total.span else None,
            "workers": {process_name(): total.images},
            "measures": total.measures,
            "failure": failure,
        }
        write_text(f"{self._parts}/{name}{RESULT}", json.dumps(part))


class ShardProgress:
    """Counts the images of all threads of this process."""

    def __init__(self) -> None:
        """Begins with none."""
        self._lock = Lock()
        self._done = 0
        self._total = 0

    def start(self, total: int) -> None:
        """Begins anew, with a number of images."""
        with self._lock:
            self._done, self._total = 0, total

    def add(self, images: int) -> None:
        """Counts some that are done."""
        with self._lock:
            self._done += images
            progress.report(self._done, self._total, "images")


# Beam copies the DoFn, so what its copies share has to live in the module.
shard_progress = ShardProgress()


def read_text(uri: str) -> str:
    """Reads a file."""
    with fileio.open(uri, "r") as file:
        return str(file.read())


def write_text(uri: str, text: str) -> None:
    """Writes a file."""
    with fileio.open(uri, "w") as file:
        file.write(text)
