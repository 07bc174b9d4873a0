"""The commands that put the pushed model to use: `predict`, `card` and `export`."""

import argparse
import os
from typing import TYPE_CHECKING, Any

from models.errors import GraftError, UsageError
from models.storage.own_temporary import own_temporary
from pipeline.command_line import add_workspace, command, count, effective, local_path, served

if TYPE_CHECKING:
    from pipeline.served_model import Served

_API_KEY = "GRAFT_API_KEY"
"""In the environment, as others see the arguments of a command."""


def add_model_commands(commands: Any) -> None:
    """Declares the commands.

    Args:
        commands: subparsers of `graft`.
    """
    predict = command(commands, "predict", _predict, "classify images with the pushed model")
    add_workspace(predict)
    predict.add_argument(
        "images",
        nargs="+",
        type=local_path,
        metavar="IMAGE",
        help="a file, or a folder to be walked",
    )
    predict.add_argument("--url", help="REST address of a running server, such as localhost:8501")
    predict.add_argument("--grpc", help="gRPC address of a running server, such as localhost:8500")
    predict.add_argument(
        "--model",
        metavar="NAME",
        help="its name in the API of that server (default: that of the workspace's model)",
    )
    form = predict.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON object for each image")
    form.add_argument("--csv", action="store_true", help="print a line of CSV for each image")

    predict.add_argument(
        "--html", type=local_path, metavar="FILE", help="also write a page with the pictures"
    )
    predict.add_argument(
        "--explain",
        type=local_path,
        metavar="FOLDER",
        help="also write pictures of where the model saw what it answers; --html shows them too",
    )
    predict.add_argument(
        "--timeout",
        type=count,
        default=30,
        metavar="SECONDS",
        help="until an answer must be there, with all that is tried for it (default 30)",
    )
    predict.add_argument(
        "--ca-file",
        type=local_path,
        metavar="FILE",
        help="PEM file of the authorities to trust (https)",
    )
    predict.add_argument(
        "--tls-certificate",
        type=local_path,
        metavar="FILE",
        help="PEM file of a certificate of yours, for a server that asks for one",
    )
    predict.add_argument(
        "--tls-key",
        type=local_path,
        metavar="FILE",
        help="PEM file of its key (default: in the same file)",
    )

    card = command(commands, "card", _card, "print the path of a pushed version's model card")
    add_workspace(card)
    card.add_argument("version", nargs="?", type=count, help="default: the newest")
    card.add_argument("--markdown", action="store_true", help="print the card itself")

    export = command(
        commands, "export", _export, "write the pushed model for other engines, or its backbone"
    )
    add_workspace(export)
    export.add_argument(
        "--format",
        choices=("litert", "onnx", "backbone"),
        default="litert",
        help="litert (float32 and int8, the default), onnx (float32; needs the extra onnx), or "
        "backbone (fine-tuned weights for another run to begin from: --weights FILE)",
    )
    export.add_argument(
        "--out", type=local_path, metavar="FOLDER", help="default: in the workspace"
    )
    export.add_argument(
        "--calibration-images",
        type=count,
        default=256,
        metavar="N",
        help="most training images to calibrate the int8 model with (default 256)",
    )


@own_temporary()
def _predict(options: argparse.Namespace) -> int:
    from pipeline.answers import Form
    from pipeline.predict_command import Servers, predict
    from serving.client import Options

    form: Form = "json" if options.json else "csv" if options.csv else "text"
    how = Options(
        timeout=options.timeout,
        ca_file=options.ca_file,
        certificate=options.tls_certificate,
        certificate_key=options.tls_key,
        api_key=os.environ.get(_API_KEY),
    )
    servers = Servers(options.url, options.grpc, how)
    to = options.html, options.explain
    return predict(_asked_model(options), options.images, servers, form, *to)


def _asked_model(options: argparse.Namespace) -> "Served":
    """The workspace's model; where a server elsewhere is asked, there need be none."""
    from pipeline.served_model import served_elsewhere

    is_elsewhere = options.url or options.grpc
    if options.model and not is_elsewhere:
        raise UsageError("--model names one of a running server: give its --url or --grpc, too.")
    named = {"serving.model_name": options.model} if options.model else {}
    try:
        model = served(options)
    except GraftError:
        if not is_elsewhere or options.workspace:
            raise
        return served_elsewhere(effective(options, named))
    if options.model and options.model != model.name:
        return served_elsewhere(effective(options, named))
    return model


def _card(options: argparse.Namespace) -> int:
    from pipeline.card_command import print_card

    return print_card(served(options), options.version, as_markdown=options.markdown)


@own_temporary()
def _export(options: argparse.Namespace) -> int:
    from pipeline.workspace import Workspace

    workspace = Workspace.of(effective(options))
    if options.format == "backbone":
        from pipeline.backbone_command import export_backbone

        return export_backbone(served(options), workspace, options.out)
    from pipeline.edge_command import export

    if not options.calibration_images:
        raise UsageError("int8 needs at least one image to calibrate with: --calibration-images.")
    images = options.calibration_images
    return export(served(options), workspace, options.format, options.out, images)
