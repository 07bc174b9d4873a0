"""Writes the files with which the official image serves a pushed model."""

import re
import shlex
from pathlib import Path
from typing import Final

from models.errors import UsageError
from models.storage.atomic_write import write_atomically
from pipeline.deployment.image import image
from pipeline.failure import writing_to
from pipeline.text_templates import text_templates

_TEMPLATES: Final = Path(__file__).parent / "templates"
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,40}[A-Za-z0-9])?")


def deployment_files(model_name: str, directory: str, gpu: bool) -> dict[str, str]:
    """The text of each file, by its name.

    Args:
        model_name: in the serving API.
        directory: of the versions, on the host that compose runs on.
        gpu: for the image with CUDA.

    Raises:
        UsageError: the name cannot be part of a path and of YAML as it is.
    """
    if not _NAME.fullmatch(model_name):
        raise UsageError(
            "Expected a model name of at most 42 letters, digits, '.', '_' and '-' that begins and "
            f"ends with a letter or digit; got {model_name!r}. `serving.model_name` sets it."
        )
    if re.search(r'[\n"$:]', directory):
        raise UsageError(f'Compose takes no ", $, : or line end in a path: {directory!r}.')
    environment = text_templates(_TEMPLATES)
    # Kubernetes takes lower-case letters, digits and hyphens alone, a letter first.
    app = re.sub(r"^(?=[0-9])", "model-", re.sub(r"[^a-z0-9]", "-", model_name.lower()))
    return {
        path.name: environment.get_template(path.name).render(
            name=model_name, app=app, directory=directory, gpu=gpu, image=image(gpu)
        )
        for path in sorted(_TEMPLATES.iterdir())
    }


def write_deployment(folder: Path, model_name: str, directory: Path, gpu: bool) -> int:
    """`graft deploy`: writes the files into `folder` and says what to do with them."""
    files = deployment_files(model_name, str(directory), gpu)
    with writing_to(folder, "Name another folder"):
        for name, text in files.items():
            write_atomically(folder / name, text.encode())
    print(
        f"Wrote compose.yaml, kubernetes.yaml and the server's configuration to {folder}. Try:\n"
        f"  docker compose --file {shlex.quote(str(folder / 'compose.yaml'))} up --detach"
    )
    return 0
