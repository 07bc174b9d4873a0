"""The paths in a configuration: of this machine where they must be, absolute, and UTF-8."""

import os
from collections.abc import Callable
from pathlib import Path

from models.errors import UsageError
from models.storage.locations import is_remote
from models.storage.plain_path import plain_path
from pipeline.config import Config
from pipeline.fetched_paths import can_be_fetched, images_by_key, local_copy

_COPIED = (
    "Copy it (`aws s3 cp URI FILE`, `gcloud storage cp URI FILE`), or mount the bucket (mount-s3, "
    "gcsfuse)"
)
_DOWNLOADED = "Download it, and unpack it where it is an archive"
_INSTEAD = {
    "workspace": "A bucket has no locks and cannot hold one",
    "serving.directory": "serving.publish copies each version that is pushed to a bucket",
}
NO_FILE = ("imagenet", "none")
"""Values of `model.weights` that name no file."""


def with_settled_paths(config: Config, base: Callable[[str], Path]) -> Config:
    """Makes all paths absolute, and `~` the home folder; images in a bucket get the path of a copy.

    Args:
        config: as it was written.
        base: the folder that a key's relative paths are relative to.

    Raises:
        UsageError: a path is an address, not UTF-8, or begins with an unknown user's home folder.
    """
    if not config.workspace:
        raise UsageError("workspace: expected a folder; got nothing. For this one give a dot.")
    _check_local(config)
    workspace = _absolute(config.workspace, Path())

    def local(key: str, value: str) -> str:
        return _absolute(value, base(key))

    def data(key: str, value: str) -> str:
        if can_be_fetched(value):
            return local_copy(key, value, Path(workspace))
        return _data(value, base(key))

    def weights(key: str, value: str | None) -> str | None:
        return value if value is None or value in NO_FILE else _absolute(value, base(key))

    candidates = config.model.candidates and tuple(
        each.model_copy(update={"weights": weights("model.candidates", each.weights)})
        for each in config.model.candidates
    )
    settled = {
        "data": {
            key: data(f"data.{key}", getattr(config.data, key))
            for key in ("path", "images", "unlabelled", "target")
        },
        "model": {
            "chain": tuple(data("model.chain", path) for path in config.model.chain),
            "weights": weights("model.weights", config.model.weights),
            "candidates": candidates,
        },
        "knowledge": {
            "paths": tuple(
                _place(path, base("knowledge.paths")) for path in config.knowledge.paths
            ),
            "share": _place(config.knowledge.share, base("knowledge.share")),
        },
        "validation": {
            "schema_path": local("validation.schema_path", config.validation.schema_path)
        },
        "serving": {"directory": local("serving.directory", config.serving.directory)},
        "tuning": {"serve_secret": local("tuning.serve_secret", config.tuning.serve_secret)},
        "notifications": {
            "template": local("notifications.template", config.notifications.template)
        },
    }
    sections = {
        name: getattr(config, name).model_copy(update=paths) for name, paths in settled.items()
    }
    return config.model_copy(update=sections | {"workspace": workspace})


def _check_local(config: Config) -> None:
    """Refuses buckets where only a folder or file of this machine will do.

    Raises:
        UsageError: names the key, and how to come by one.
    """
    for key, values in paths_by_key(config).items():
        for value in filter(is_remote, values):
            if key in images_by_key(config) and can_be_fetched(value):
                continue
            help_words = _INSTEAD.get(key, _DOWNLOADED if value.startswith("http") else _COPIED)
            raise UsageError(f"{key}: expected a path of this machine; got {value}. {help_words}.")


def paths_by_key(config: Config) -> dict[str, tuple[str, ...]]:
    """The keys that name files and folders of this machine alone, each with what is set there.

    Args:
        config: as it was written, or settled.
    """
    candidates = config.model.candidates or ()
    found: dict[str, tuple[str, ...]] = {
        **images_by_key(config),
        "model.weights": (config.model.weights,),
        "model.candidates": tuple(each.weights or "" for each in candidates),
        "workspace": (config.workspace,),
        "serving.directory": (config.serving.directory,),
        "validation.schema_path": (config.validation.schema_path,),
        "tuning.serve_secret": (config.tuning.serve_secret,),
        "notifications.template": (config.notifications.template,),
    }
    return {
        key: tuple(value for value in values if value and value not in NO_FILE)
        for key, values in found.items()
    }


def _data(path: str, base: Path) -> str:
    """As `_absolute`; a folder whose path is not UTF-8 gets a link, for few can choose theirs."""
    place = Path(os.path.abspath(base / _expanded(path)))
    folder = place if os.path.isdir(place) else place.parent  # noqa: PTH112 - does not raise
    if path and not _is_text(str(folder)) and os.path.isdir(folder):  # noqa: PTH112
        # The name of a file says what it is, and its neighbours are named in it.
        place = plain_path(folder) / place.relative_to(folder)
        return _absolute(str(place), Path())
    return _absolute(path, base)


def _absolute(path: str, base: Path) -> str:
    if not path:
        return path
    absolute = os.path.abspath(base / _expanded(path))
    if not _is_text(absolute):
        # ML Metadata and YAML hold text; names inside the data may be any bytes.
        raise UsageError(
            f"The path {absolute!r} is not UTF-8. Rename it, or reach it through a link."
        )
    return absolute


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(
            f"{path}: there is no user {path.partition('/')[0]} whose home folder it could be in. "
            f"For a folder of that name give ./{path}."
        ) from None


def _is_text(path: str) -> bool:
    return path.encode(errors="replace").decode() == path


def _place(place: str, base: Path) -> str:
    return place if is_remote(place) else _absolute(place, base)
