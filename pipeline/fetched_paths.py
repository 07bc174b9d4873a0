"""Where the copy of images lies that are in a bucket: a folder of the workspace, named after it."""

import re
from pathlib import Path
from typing import Final

from models.errors import UsageError
from pipeline.config import Config

FETCHED: Final = "fetched"
"""Folder of the workspace: one for each scheme, a bucket's in it."""
_URI: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(.+)")
_NO_BUCKET: Final = ("http", "https", "ftp", "file", "local")


def images_by_key(config: Config) -> dict[str, tuple[str, ...]]:
    """The keys that name images, which may lie in a bucket."""
    return {
        "data.path": (config.data.path,),
        "data.images": (config.data.images,),
        "data.unlabelled": (config.data.unlabelled,),
        "data.target": (config.data.target,),
        "model.chain": config.model.chain,
    }


def can_be_fetched(uri: str) -> bool:
    """Whether an address is a bucket's, by its scheme."""
    match = _URI.fullmatch(uri)
    return match is not None and match[1] not in _NO_BUCKET


def local_copy(key: str, uri: str, workspace: Path) -> str:
    """The path of the copy of what lies in a bucket.

    Args:
        key: of the configuration, for the message.
        uri: such as `s3://bucket/photos`; placeholders stay what they are.
        workspace: absolute.

    Raises:
        UsageError: no path can be made of it.
    """
    match = _URI.fullmatch(uri)
    parts = match[2].rstrip("/").split("/") if match else []
    if match is None or any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise UsageError(
            f"{key}: expected a bucket and a folder, such as s3://bucket/photos; got {uri}."
        )
    return str(workspace.joinpath(FETCHED, match[1], *parts))


def source_of(path: str, workspace: Path) -> str:
    """The URI of what a path is the copy of; empty where it is no copy."""
    root = workspace / FETCHED
    if not path or not Path(path).is_relative_to(root):
        return ""
    scheme, *parts = Path(path).relative_to(root).parts or ("",)
    return f"{scheme}://{'/'.join(parts)}" if parts else ""


def is_fetched(config: Config) -> bool:
    """Whether any images of a configuration lie in a bucket."""
    return with_sources(config) != config


def with_sources(config: Config) -> Config:
    """The configuration with the URIs of buckets in place of the copies, as a person wrote it."""
    workspace = config.workspace_path

    def source(path: str) -> str:
        return source_of(path, workspace) or path

    keys = ("path", "images", "unlabelled", "target")
    data = {key: source(getattr(config.data, key)) for key in keys}
    chain = tuple(map(source, config.model.chain))
    return config.model_copy(
        update={
            "data": config.data.model_copy(update=data),
            "model": config.model.model_copy(update={"chain": chain}),
        }
    )
