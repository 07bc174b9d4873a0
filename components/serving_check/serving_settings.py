"""Where the model is served and how that is proved first: the section `serving`."""

import re
from typing import Annotated, Final

from pydantic import Field, field_validator

from models.settings import Section

_MODEL_NAME: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?")
_FOLDER: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s]+/\S+")
_DEVICES: Final = {"CON", "PRN", "AUX", "NUL"} | {
    f"{kind}{n}" for kind in ("COM", "LPT") for n in "123456789"
}


class ServingSettings(Section):
    """The serving directory and the check before the push."""

    model_name: str = "graft"
    """Name in the serving API: /v1/models/<model_name>."""
    directory: str = ""
    """Directory of versions that the server watches. Empty: serving/<model_name> in the
    workspace."""
    publish: str = ""
    """Folder in object storage that gets each pushed version too, such as s3://bucket/models/graft,
    for servers elsewhere. One workspace a folder. Empty: none."""
    check_images: Annotated[int, Field(ge=1, le=64)] = 8
    """Real images sent through REST and gRPC before the push."""
    tolerance: Annotated[float, Field(gt=0.0, le=1.0)] = 1e-3
    """Most that a served probability may differ from the trainer's."""

    @field_validator("publish")
    @classmethod
    def _in_object_storage(cls, value: str) -> str:
        if value and not _FOLDER.fullmatch(value):
            raise ValueError(
                "a folder in a bucket, such as s3://bucket/models/graft; a folder of this machine "
                "is serving.directory"
            )
        return value.rstrip("/")

    @field_validator("model_name")
    @classmethod
    def _part_of_a_url_and_folder(cls, value: str) -> str:
        stem = value.partition(".")[0].upper()
        if not _MODEL_NAME.fullmatch(value) or stem in _DEVICES:
            raise ValueError(
                "1 to 100 of the letters A to Z and a to z, digits, '_', '-' and '.', a letter, "
                "digit or '_' first, no '.' last, and no name of a device such as con"
            )
        return value
