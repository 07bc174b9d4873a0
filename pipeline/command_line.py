"""What the commands of `graft` have in common: how they are declared, and the configuration."""

import argparse
import datetime
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from models.errors import UsageError

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.served_model import Served

_HIGHEST_COUNT = 100_000
_HIGHEST_PORT = 65535

_OVERRIDES = {
    "data": "data.path",
    "workspace": "workspace",
    "seed": "seed",
    "backbone": "model.backbone",
    "weights": "model.weights",
    "image_size": "model.image_size",
    "trials": "tuning.trials",
    "strategy": "training.strategy",
    "epochs": "training.epochs",
}


def command(commands: Any, name: str, run: Any, about: str) -> argparse.ArgumentParser:
    """Declares a command: `run` is called with the options and returns the exit code."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    return parser


class Version(argparse.Action):
    """Prints the version, which is looked up for nothing else."""

    def __init__(self, option_strings: Sequence[str], dest: str, **rest: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **rest)

    @override
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from pipeline.library_versions import graft_version

        print(f"graft {graft_version()}")
        parser.exit()


def add_workspace(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that say where the runs are."""
    parser.add_argument("--workspace", help="folder that holds the runs (default graft-workspace)")
    parser.add_argument("--config", type=local_path, metavar="FILE", help="configuration file")


def read_arguments(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Reads the arguments of `graft`; exits with 2 and a hint where one is not known."""
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{_hint(unknown, options)}")
    return options


def _hint(unknown: Sequence[str], options: argparse.Namespace) -> str:
    """What may have been meant by arguments of a command that takes a configuration."""
    if not hasattr(options, "set"):
        return ""
    first = unknown[0]
    if not first.startswith("-"):
        return f". Name the images to learn from with --data: --data {shlex.quote(first)}"
    from pipeline.config_file import keys_called

    name, _, value = first.lstrip("-").partition("=")
    keys = keys_called(name.replace("-", "_"))
    if not keys:
        return ""
    line = f"{keys[0]}={value or next(iter(unknown[1:]), 'VALUE')}"
    return f". Keys of the configuration are set so: --set {shlex.quote(line)}"


def refuse_empty(arguments: Sequence[str]) -> None:
    """Refuses an empty argument, which as a path would stand for the folder one happens to be in.

    Args:
        arguments: of `graft`, as they were given.

    Raises:
        UsageError: says which one it is.
    """
    for number, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if not argument or (flag.startswith("--") and equals and not value):
            before = f" after {arguments[number - 1]}" if number and not argument else ""
            raise UsageError(
                f"Expected a value{f' for {flag}' if flag else before}; got nothing. Perhaps a "
                "variable of the shell is not set."
            )


def local_path(text: str) -> Path:
    """Reads a path of this machine that a flag was given; `~` is the home folder."""
    if "://" in text:
        raise argparse.ArgumentTypeError(
            f"expected a path of this machine; got the address {text!r}. Copy from or to it with "
            "the tool of your storage, such as `aws s3 cp`"
        )
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise argparse.ArgumentTypeError(
            f"there is no user whose home folder {text!r} could begin with; for a folder of that "
            f"name give ./{text}"
        ) from None


def count(text: str) -> int:
    """Reads a number that a flag was given."""
    if text.isdecimal() and int(text) <= _HIGHEST_COUNT:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a number, 0 to {_HIGHEST_COUNT}; got {text!r}")


def port(text: str) -> int:
    """Reads the number of a port."""
    if text.isdecimal() and int(text) <= _HIGHEST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a port, 0 to {_HIGHEST_PORT}; got {text!r}")


def day(text: str) -> datetime.date:
    """Reads a day that a flag was given."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        words = f"expected a day, such as 2026-11-23; got {text!r}"
        raise argparse.ArgumentTypeError(words) from None


def effective(options: argparse.Namespace, more: dict[str, Any] | None = None) -> "Config":
    """The configuration that a command works with: file, flags and defaults.

    Args:
        options: of the command.
        more: dotted key to value, for flags of this command alone.

    Raises:
        UsageError: it is not valid, or its workspace can be no folder.
    """
    from pipeline.config_file import load_config, parse_assignment
    from pipeline.workspace import no_folder

    overrides: dict[str, Any] = {
        key: getattr(options, flag)
        for flag, key in _OVERRIDES.items()
        if getattr(options, flag, None) is not None
    }
    overrides.update(parse_assignment(item) for item in getattr(options, "set", []))
    config = load_config(options.config, overrides | (more or {}))
    if problem := no_folder(config.workspace_path):
        raise UsageError(f"The workspace is no folder: {problem}.")
    return config


def served(options: argparse.Namespace) -> "Served":
    """The pushed model of the workspace."""
    from pipeline.served_model import served as find

    return find(effective(options), options.config is not None)
