"""What the configuration alone tells of a run that must fail: said before anything runs."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.example_gen.sources.spans import has_placeholder
from models.backbone_names import check_backbone, default_image_size
from models.backbone_record import read_record
from models.errors import UsageError
from models.search.workers.signature import read_secret
from models.spelling import did_you_mean
from models.storage.buckets import unusable
from models.storage.locations import is_remote
from pipeline.among_images import lies_among_images
from pipeline.config import Config
from pipeline.config_paths import NO_FILE
from pipeline.fetched_paths import images_by_key, source_of, with_sources
from pipeline.unlabelled_in_data import taken_for_classes
from pipeline.workspace import nearest_there, no_folder

_BEGINNINGS = {".keras": b"PK\x03\x04", ".h5": b"\x89HDF\r\n\x1a\n"}
"""How the files of weights begin that Keras writes, by their ending."""


def check(config: Config) -> None:
    """Refuses what would only fail after minutes.

    Imports neither TFX nor Keras, so that the answer is there at once.

    Args:
        config: the effective configuration of a run.

    Raises:
        UsageError: names every key that has to be mended.
    """
    _check_data(config)
    problems = [
        *_models(config),
        *_chain(config),
        *_start(config),
        *_knowledge(config),
        *_buckets(config),
        *_unlabelled(config),
        *_template(config),
        *_places(config),
    ]
    if problems:
        lines = "\n".join(f"  {each}" if each.endswith("?") else f"  {each}." for each in problems)
        raise UsageError(f"The run cannot begin:\n{lines}")


def check_address(config: Config) -> None:
    """Refuses an address at which the search could not be served.

    To be asked while the workspace is held: another run in it may hold the address until then.

    Raises:
        UsageError: it is no address of this machine, or taken, or the secret cannot be read.
    """
    if not config.tuning.serve:
        return
    read_secret(config.tuning.serve_secret)
    host, _, port = config.tuning.serve.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        raise UsageError(
            f"tuning.serve: {config.tuning.serve} cannot be listened at ({error.strerror}). "
            "Expected an address of this machine and a port that is free."
        ) from None


def check_schema(config: Config) -> None:
    """Refuses a schema file that cannot be read; brings TensorFlow Data Validation.

    Raises:
        UsageError: the file is no schema of the derived features.
    """
    from components.schema_curator.curated_schema import read_schema_file
    from components.schema_curator.schema import parse_schema

    content = read_schema_file(config.schema_path)
    if content is not None:
        parse_schema(content, str(config.schema_path))


def _check_data(config: Config) -> None:
    path = config.data.path
    if not path:
        raise UsageError(
            "There is no data to train on. Name it with --data DIR (a folder per class), or as "
            "data.path in a configuration file (--config FILE)."
        )
    expected = (
        "Expected --data, or data.path, to name a folder with a folder of images per class, a "
        "manifest, or .tfrecord files."
    )
    if not _may_come(path, config):
        raise UsageError(f"There is nothing at {path}. {expected}")
    if _is_device(path):
        raise UsageError(f"{path} is a device, a pipe or a socket. {expected}")


def _may_come(path: str, config: Config) -> bool:
    """Whether something is there, or may be once the spans are known or a bucket was fetched."""
    is_fetched = bool(source_of(path, config.workspace_path))
    return is_fetched or os.path.lexists(path) or has_placeholder(path)


def _is_device(path: str) -> bool:
    """Whether something is neither a folder nor a regular file; what cannot be seen is not."""
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISDIR(mode) or stat.S_ISREG(mode))


def _models(config: Config) -> Iterator[str]:
    """Names, sizes and weights of the backbone or, where there are some, of the candidates."""
    for number, each in enumerate(config.model.asked_candidates):
        key = f"model.candidates.{number}" if config.model.candidates else "model"
        try:
            check_backbone(each["backbone"], each["image_size"])
        except UsageError as error:
            yield f"{key}.backbone: {error}"
        problem = _weights(each["weights"])
        if problem:
            yield f"{key}.weights: expected imagenet, none or a file saved by Keras; {problem}"
        elif misfit := _misfit(each, config.model.resize):
            yield f"{key}.weights: {each['weights']} does not fit: {misfit}"


def _chain(config: Config) -> Iterator[str]:
    for path in config.model.chain:
        if not _may_come(path, config):
            yield f"model.chain: there is nothing at {path}; expected a folder of labelled images"
        elif _is_device(path):
            yield f"model.chain: {path} is a device or a pipe; expected a folder of images"
        if os.path.realpath(path) == os.path.realpath(config.data.path):
            yield f"model.chain: {path} is the data itself; expected other, related images"
    if not config.model.chain:
        return
    if config.model.candidates:
        yield "model.chain makes weights of one backbone; set model.candidates: []"
    if config.training.start == "champion":
        yield (
            "model.chain makes weights to begin from, and training.start: champion begins from the "
            "last blessed model. Leave one of them out"
        )


def _start(config: Config) -> Iterator[str]:
    if config.training.start == "champion" and config.tuning.budget:
        yield (
            "training.start: champion trains on what the last blessed model is, so that there is "
            "nothing to search for. Leave tuning.budget out"
        )
    if config.data.replay and not config.data.keep_test:
        yield (
            "data.replay brings images back that the last blessed model was tested on, which no "
            "model may learn. Set data.keep_test: true"
        )


def _weights(weights: str) -> str:
    """What is wrong with a file of weights, in words; empty where nothing can be seen to be."""
    if weights in NO_FILE:
        return ""
    try:
        if not stat.S_ISREG(Path(weights).stat().st_mode):
            return f"{weights} is no file"
        beginning = _BEGINNINGS.get(Path(weights).suffix)
        if beginning is None:
            return f"{weights} does not end in .keras, .weights.h5 or .h5"
        with Path(weights).open("rb") as file:
            if file.read(len(beginning)) != beginning:
                return f"{weights} is damaged, or of another kind than its name says"
    except OSError as error:
        hint = did_you_mean(Path(weights).name, NO_FILE)
        return f"{weights} cannot be read ({error.strerror})" + (f".{hint}" if hint else "")
    return ""


def _misfit(asked: dict[str, Any], resize: str) -> str:
    """Why a backbone that Graft fine-tuned cannot be begun from; empty where it can."""
    if asked["weights"] in NO_FILE:
        return ""
    try:
        record = read_record(asked["weights"])
        size = asked["image_size"] or default_image_size(asked["backbone"])
    except UsageError as error:
        return str(error)
    return record.misfit(asked["backbone"], size, resize) if record else ""


def _buckets(config: Config) -> Iterator[str]:
    """Packages that are missing; whether a bucket answers shows when it is needed."""
    for key, place in (
        ("serving.publish", config.serving.publish),
        ("knowledge.share", config.knowledge.share),
    ):
        if place.partition("://")[0] in ("http", "https"):
            yield (
                f"{key}: expected a bucket that can be written to, such as s3://bucket/folder; "
                f"from {place}, an address of the web, one can only read"
            )
    asked = {
        **images_by_key(with_sources(config)),
        "serving.publish": [config.serving.publish],
        "knowledge.paths": config.knowledge.paths,
        "knowledge.share": [config.knowledge.share],
    }
    for key, places in asked.items():
        for place in filter(is_remote, places):
            if problem := unusable(place):
                yield f"{key}: {problem}"


def _knowledge(config: Config) -> Iterator[str]:
    for place in config.knowledge.paths:
        # What a run shares is made by the first one.
        if place == config.knowledge.share or is_remote(place):
            continue
        if not os.access(place, os.R_OK):
            yield f"knowledge.paths: there is nothing at {place}, or it cannot be read"


def _unlabelled(config: Config) -> Iterator[str]:
    def is_open(folder: str) -> bool:
        return bool(source_of(folder, config.workspace_path)) or _is_open(folder)

    if config.data.images and not is_open(config.data.images):
        yield (
            "data.images: expected a folder that can be read, with the images of the manifest "
            f"data.path; {config.data.images} is none"
        )
    for key, folder in (("unlabelled", config.data.unlabelled), ("target", config.data.target)):
        if folder and not is_open(folder):
            yield f"data.{key}: expected a folder of images that can be read; {folder} is none"
        elif folder and (problem := taken_for_classes(folder, config.data)):
            yield f"data.{key}: {problem}"


def _is_open(folder: str) -> bool:
    return Path(folder).is_dir() and os.access(folder, os.R_OK | os.X_OK)


def _template(config: Config) -> Iterator[str]:
    if not config.notifications.template:
        return
    # Imported here: few have a template, and the engine takes a moment.
    from pipeline.notifications.message import TemplateFileError, check_template

    try:
        check_template(config.notifications.template)
    except TemplateFileError as error:
        yield f"notifications.template: expected a Jinja template; {error}"


def _places(config: Config) -> Iterator[str]:
    """Looks at every folder that the run writes to."""
    written = {
        "workspace": config.workspace_path,
        "serving.directory": config.serving_directory,
    }
    if not os.path.lexists(config.schema_path):  # else it is the user's, and only read
        written["validation.schema_path"] = config.schema_path.parent
    if config.knowledge.share and not is_remote(config.knowledge.share):
        written["knowledge.share"] = Path(config.knowledge.share)
    for key, folder in written.items():
        data = config.data
        places = data.path, data.unlabelled, data.target, *config.model.chain
        sources = filter(None, places)
        inside = (_inside_data(folder, each) for each in sources)
        problem = _unusable(folder) or next(filter(None, inside), "")
        if problem:
            yield f"{key}: {problem}"
        if problem and key == "workspace":
            return  # the others lie in it
    if os.path.isdir(config.schema_path):  # noqa: PTH112 - does not raise
        yield f"validation.schema_path: {config.schema_path} is a folder; expected a file"
    elif _is_device(str(config.schema_path)):
        yield f"validation.schema_path: {config.schema_path} is a device; expected a file"
    yield from _mixed(config)


def _unusable(folder: Path) -> str:
    """Why a folder cannot be made or, where it is there, used; empty where it can."""
    if problem := no_folder(folder):
        return problem
    there = nearest_there(folder)
    return "" if os.access(there, os.W_OK | os.X_OK) else f"{there} cannot be written"


def _inside_data(folder: Path, data: str) -> str:
    """Says so where a run would take what it writes for images."""
    if not lies_among_images(folder, data):
        return ""
    return f"{folder} lies in the data, {data}, and would be taken for images. Choose another place"


def _mixed(config: Config) -> Iterator[str]:
    """Looks whether the server's versions would lie among what the workspace keeps."""
    served, workspace = config.serving_directory, config.workspace_path
    if workspace.is_relative_to(served):
        yield f"serving.directory: {served} holds the workspace; expected a folder of its own"
    for name in ("artifacts", "cache", "knowledge", "runs"):
        if served.is_relative_to(workspace / name):
            yield (
                f"serving.directory: {served} lies in {workspace / name}, where Graft keeps what "
                "it may delete; expected a folder of its own"
            )
