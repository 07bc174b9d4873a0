"""The command `graft schema`: the classes that are known, and letting others in."""

import argparse
from typing import Any

from pipeline.command_line import add_workspace, command, effective


def add_schema_commands(commands: Any) -> None:
    """Declares the command.

    Args:
        commands: subparsers of `graft`.
    """
    about = "show the classes that are known, or accept those of new data"
    parser = commands.add_parser("schema", help=about, description=about)
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    about = "show the known classes, and how those of the last run differ"
    add_workspace(command(actions, "show", _show, about))
    about = "write the classes of the last run, or of --data, into the schema file"
    accept = command(actions, "accept", _accept, about)
    add_workspace(accept)
    accept.add_argument("--data", help="look at this data, not at what the last run found")
    accept.add_argument(
        "--keep-missing", action="store_true", help="keep classes that have no image any more"
    )


def _show(options: argparse.Namespace) -> int:
    from pipeline.class_acceptance import show

    return show(effective(options), config_named=options.config is not None)


def _accept(options: argparse.Namespace) -> int:
    from pipeline.class_acceptance import accept, accept_of_data

    config, keep = effective(options), options.keep_missing
    if options.data:
        return accept_of_data(config, keep_missing=keep, config_named=options.config is not None)
    return accept(config, keep_missing=keep, config_named=options.config is not None)
