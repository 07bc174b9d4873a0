"""What the file of a backbone that Graft fine-tuned says of itself.

`models.backbones.backbone_file` writes such files. Reading what they say brings neither NumPy nor
Keras, so that it can be done before anything else.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.errors import UsageError

DATASET: Final = "graft"
"""In such a file: bytes of JSON in UTF-8, a `BackboneRecord`."""
SUFFIX: Final = ".weights.h5"
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


def read_record(file: str | Path) -> BackboneRecord | None:
    """Reads what is told of a backbone.

    Args:
        file: of weights, from anybody.

    Returns:
        None for a file that Graft did not write.

    Raises:
        UsageError: what is told in it is damaged.
    """
    if not str(file).endswith(SUFFIX):
        return None
    import h5py

    try:
        with h5py.File(file, "r") as weights:
            dataset = weights.get(DATASET)
            if dataset is None:
                return None
            if dataset.dtype != "uint8" or dataset.size > _MOST_BYTES:
                raise ValueError("it is no text")
            return BackboneRecord.model_validate_json(dataset[()].tobytes())
    except Exception as error:
        # HDF5 raises whatever it meets in a file from anybody.
        raise UsageError(
            f"{file} is damaged: what it says of the backbone cannot be read ({error}). Write it "
            "anew, with graft export --format backbone."
        ) from error
