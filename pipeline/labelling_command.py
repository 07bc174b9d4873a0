"""The command `graft label`: sorts images that have no labels yet."""

import argparse
import os
from pathlib import Path
from typing import Any, Final

from models.backbone_names import LITE0, LITES
from models.byte_order_mark import decoded
from models.errors import UsageError
from models.storage.own_temporary import own_temporary
from pipeline.command_line import add_workspace, command, local_path, served

_OUTPUT: Final = Path("zero-shot-labels.csv")
_LEAST: Final = 0.2


def add_labelling_command(commands: Any) -> None:
    """Declares the command.

    Args:
        commands: subparsers of `graft`.
    """
    about = "sort images without labels by the names of their classes, for a person to correct"
    label = command(commands, "label", _label, about)
    label.add_argument(
        "--zero-shot",
        type=local_path,
        required=True,
        metavar="DIR",
        help="folder of images, at any depth; sorted by what ImageNet's classes mean",
    )
    label.add_argument(
        "--classes",
        metavar="NAMES",
        help="such as shoes,hat,outwear=coat,kitchen=stove+refrigerator, or a file with one a "
        "line; default: the classes of the pushed model",
    )
    label.add_argument(
        "--least",
        type=_share,
        default=_LEAST,
        metavar="CONFIDENCE",
        help=f"that an image needs to get a label, 0 to 1 (default {_LEAST})",
    )
    label.add_argument(
        "--output",
        type=local_path,
        default=_OUTPUT,
        metavar="FILE",
        help=f"manifest to write, and beside it a page to correct it on (default {_OUTPUT})",
    )
    label.add_argument(
        "--backbone",
        choices=sorted(LITES),
        default=LITE0,
        help=f"that looks at the images (default {LITE0}; the others are slower and better)",
    )
    label.add_argument(
        "--wordnet",
        type=local_path,
        metavar="DIR",
        help="folder of WordNet's database; found if usual",
    )
    add_workspace(label)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if 0.0 <= value <= 1.0:
        return value
    raise argparse.ArgumentTypeError(f"expected a number from 0 to 1; got {text!r}")


@own_temporary()
def _label(options: argparse.Namespace) -> int:
    from pipeline.labelling.zero_shot import Sorting, sort_images

    sorting = Sorting(
        folder=options.zero_shot,
        classes=_classes(options),
        least=options.least,
        backbone=options.backbone,
        wordnet=options.wordnet,
    )
    return sort_images(sorting, options.output)


def _classes(options: argparse.Namespace) -> list[str]:
    """What the user says of each class."""
    if options.classes is None:
        from models.training.model_description import read_description

        return list(read_description(served(options).newest).labels)
    if os.path.isfile(options.classes):  # noqa: PTH113 - does not raise, however long it is
        try:
            lines = decoded(Path(options.classes).read_bytes()).splitlines()
        except (OSError, ValueError) as error:
            raise UsageError(f"{options.classes} cannot be read: {error}.") from None
        return [line.strip() for line in lines if line.strip()]
    return [each.strip() for each in options.classes.split(",")]
