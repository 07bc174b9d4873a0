"""A backbone that Graft fine-tuned, as a file that another run may begin from.

It is a weights file as Keras writes it (`.weights.h5`), with one more dataset, `graft`: JSON that
says what the backbone went through and under what licence it began, so that neither gets lost.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.errors import UsageError

_DATASET: Final = "graft"
_SUFFIX: Final = ".weights.h5"
_MOST_BYTES: Final = 1 << 22

_Name = Annotated[str, Field(max_length=1000)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Link(_Record):
    """One training that a backbone went through.

    Attributes:
        name: of the model or of the data, for people.
        run: that trained it; empty where nobody knows.
        data_fingerprint: names its images, labels and split.
        images: that it was trained on.
        classes: that it told apart.
        begun_from: digest of the weights that it began with.
        weights_digest: of the backbone's weights after it.
    """

    name: _Name
    run: _Name = ""
    data_fingerprint: _Name
    images: Annotated[int, Field(ge=0)]
    classes: Annotated[int, Field(ge=0)]
    begun_from: _Name
    weights_digest: _Name

    def __str__(self) -> str:
        run = f", run {self.run}" if self.run else ""
        data = f"data {self.data_fingerprint[:16]}"
        return f"{self.name} ({self.images:,} images of {self.classes:,} classes, {data}{run})"


class BackboneRecord(_Record):
    """What is told of a backbone in its file.

    Attributes:
        version: of the format.
        backbone: its name.
        image_size: side in pixels of the images that it was last trained on.
        resize: how a rectangle became a square there.
        licence: of the weights that the last training began with, in words.
        links: the trainings, in order.
    """

    version: Literal[1] = 1
    backbone: _Name
    image_size: int
    resize: _Name
    licence: str
    links: Annotated[tuple[Link, ...], Field(min_length=1)]

    def misfit(self, backbone: str, image_size: int, resize: str) -> str:
        """Why a run cannot begin from this backbone, in words; empty where it can.

        Args:
            backbone: that the run asks for.
            image_size: likewise, in pixels.
            resize: likewise.
        """
        wanted = {"backbone": backbone, "image_size": image_size, "resize": resize}
        own = {key: getattr(self, key) for key in wanted}
        if own == wanted:
            return ""
        told = ", ".join(f"{key}: {value}" for key, value in own.items())
        asked = ", ".join(f"{key}: {value}" for key, value in wanted.items() if own[key] != value)
        return f"it was fine-tuned with {told}, and the configuration has {asked}. Set it so"


def chain_words(chain: Iterable[Mapping[str, Any]]) -> str:
    """What a backbone went through, in words; empty for nothing.

    Args:
        chain: as a model's description has it, the fields of a `Link` each.
    """
    return "; then ".join(str(Link.model_validate(each)) for each in chain)


def write_backbone(save: Callable[[Path], Any], record: BackboneRecord, file: Path) -> None:
    """Writes a backbone with what is told of it; the file is whole or absent.

    Args:
        save: writes the weights to the file that it is given, as `keras.Model.save_weights` does.
        record: what is told.
        file: its name ends in `.weights.h5`.

    Raises:
        UsageError: its name ends otherwise.
        OSError: the disk is full or the folder cannot be written.
    """
    if not file.name.endswith(_SUFFIX):
        raise UsageError(f"A backbone is written to a file that ends in {_SUFFIX}; got {file}.")
    import h5py

    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{file.name[:100]}-", dir=file.parent) as folder:
        partial = Path(folder) / file.name
        save(partial)
        with h5py.File(partial, "r+") as weights:
            told = record.model_dump_json().encode()
            weights.create_dataset(_DATASET, data=np.frombuffer(told, np.uint8))
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(file)


def read_record(file: str | Path) -> BackboneRecord | None:
    """Reads what is told of a backbone.

    Args:
        file: of weights, from anybody.

    Returns:
        None for a file that Graft did not write.

    Raises:
        UsageError: what is told in it is damaged.
    """
    if not str(file).endswith(_SUFFIX):
        return None
    import h5py

    try:
        with h5py.File(file, "r") as weights:
            dataset = weights.get(_DATASET)
            if dataset is None:
                return None
            if dataset.dtype != np.uint8 or dataset.size > _MOST_BYTES:
                raise ValueError("it is no text")
            return BackboneRecord.model_validate_json(dataset[()].tobytes())
    except Exception as error:
        # HDF5 raises whatever it meets in a file from anybody.
        raise UsageError(
            f"{file} is damaged: what it says of the backbone cannot be read ({error}). Write it "
            "anew, with graft export --format backbone."
        ) from error


def check_whole(record: BackboneRecord, weights_digest: str, file: str) -> None:
    """Checks that the weights are those that were written.

    Raises:
        UsageError: they are not.
    """
    if record.links[-1].weights_digest != weights_digest:
        raise UsageError(
            f"{file} is damaged: its weights are not those that it says it has. Write it anew, "
            "with graft export --format backbone."
        )
