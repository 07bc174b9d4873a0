"""The `graft` command. Imports little at the top, so that `graft --help` answers at once."""

import argparse
import io
import os
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from models.errors import GraftError, UsageError
from models.numerics import compute_with_onednn
from models.standard_streams import hold_standard_streams
from models.storage.own_temporary import own_temporary
from pipeline.command_line import (
    Version,
    add_workspace,
    command,
    count,
    effective,
    local_path,
    read_arguments,
    refuse_empty,
)
from pipeline.failure import TRACEBACK, unforeseen
from pipeline.interrupts import sigterm_as_ctrl_c
from pipeline.knowledge_command import add_knowledge_command
from pipeline.labelling_command import add_labelling_command
from pipeline.model_commands import add_model_commands
from pipeline.production_commands import add_production_commands
from pipeline.schema_commands import add_schema_commands

_EXIT_CODES = """exit codes:
  0  pushed (or the command did what it says)
  1  failure: the message says what failed, the log file has the rest
  2  bad usage: a flag, a configuration key or value, a missing file
  3  bad data: nothing to train on, refused by validation, or an image not to be classified
  4  not blessed: the model was trained, but is not good enough to be pushed
  5  busy: another run holds the workspace
  6  out of time (limits.minutes): what is done is kept, the same command goes on from there
  7  not needed, of `graft needed` alone
  130  interrupted with Ctrl-C or SIGTERM; the same command goes on from there
"""

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    hold_standard_streams()
    compute_with_onednn()
    given = sys.argv[1:] if arguments is None else arguments
    options = read_arguments(_parser(), given)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names hold anything, JSON is UTF-8, and neither may end a command.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        refuse_empty(given)
        with sigterm_as_ctrl_c():
            code: int = options.run(options)
        sys.stdout.flush()
    except GraftError as error:
        print(f"graft: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("graft: interrupted. The same command goes on from here.", file=sys.stderr)
        _forget_interrupt()
        return _INTERRUPTED
    except BrokenPipeError:
        # Who read the output has gone. Python would try once more to write it, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if TRACEBACK in os.environ:
            raise
        print(f"graft: {unforeseen(error)}", file=sys.stderr)
        return 1
    return code


def _forget_interrupt() -> None:
    """Lets the process end with the exit code of `main`.

    CPython notes a KeyboardInterrupt that goes through `exec` of a text, as `dataclass` and
    `namedtuple` use it. A process that was started with `-m` then kills itself by SIGINT at its
    end, whatever was caught. The next `exec` forgets it.
    """
    exec("")  # noqa: S102 - an empty text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="graft",
        description="From a folder of labelled images to a model behind a TF Serving API.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=Version, help="print the version of Graft")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = command(commands, "run", _run, "train, evaluate and push a model from labelled images")
    _add_config_flags(run)
    run.add_argument("--json", action="store_true", help="print summary.json alone on stdout")
    run.add_argument(
        "--if-needed",
        action="store_true",
        help="only where data, code or configuration changed, or the monitor wants a retraining",
    )
    run.add_argument("--wait", action="store_true", help="wait for another run on the workspace")

    about = "say whether `run --if-needed` would run: exit code 0 if so, 7 if not"
    needed = command(commands, "needed", _needed, about)
    _add_config_flags(needed)
    needed.add_argument(
        "--by-monitor", action="store_true", help="only whether the monitor wants a retraining"
    )

    about = "run a single stage, and those before it that were not run yet"
    stage = command(commands, "stage", _stage, about)
    stage.add_argument("name", help="such as Trainer; a wrong one lists all")
    _add_config_flags(stage)
    stage.add_argument("--json", action="store_true", help="print summary.json alone on stdout")
    stage.add_argument("--wait", action="store_true", help="wait for another run on the workspace")

    demo = command(commands, "demo", _demo, "the main job on scikit-learn's handwritten digits")
    demo.add_argument(
        "--workspace",
        type=local_path,
        default="graft-workspace",
        help="folder for all that is made",
    )

    init = command(commands, "init", _init, "write a commented configuration file")
    init.add_argument("file", nargs="?", default="graft.yaml", type=local_path)

    config = command(commands, "config", _config, "show the effective configuration")
    _add_config_flags(config)

    runs = command(commands, "runs", _runs, "list the runs of a workspace")
    runs.add_argument("--json", action="store_true", help="print a JSON object for each run")
    add_workspace(runs)

    report = command(commands, "report", _report, "print the path of a run's report")
    add_workspace(report)
    report.add_argument("run_id", nargs="?", help="default: the latest run")

    _add_prune(commands)

    add_schema_commands(commands)

    add_knowledge_command(commands)

    worker = command(commands, "worker", _worker, "make trials of a search that a run serves")
    worker.add_argument("folder", type=local_path, help="of the search, as the run names it")
    worker.add_argument(
        "--timeout",
        type=count,
        default=60,
        metavar="SECONDS",
        help="give up when the run does not answer for so long (default 60)",
    )

    worker.add_argument(
        "--secret",
        type=local_path,
        metavar="FILE",
        help="that holds the run's tuning.serve_secret",
    )

    add_labelling_command(commands)

    add_model_commands(commands)

    add_production_commands(commands)
    return parser


def _add_prune(commands: Any) -> None:
    about = "show, or delete, what a workspace need not keep"
    prune = command(commands, "prune", _prune, about)
    add_workspace(prune)
    for flag, what in (("runs", "newest runs"), ("versions", "newest pushed versions")):
        prune.add_argument(f"--{flag}", type=count, metavar="N", help=f"{what} to keep")
    prune.add_argument("--days", type=count, metavar="N", help="keep the runs of the last N days")
    prune.add_argument("--cache-gigabytes", type=float, metavar="G", help="size of all caches")
    prune.add_argument("--yes", action="store_true", help="delete; without it, only show")


def _prune(options: argparse.Namespace) -> int:
    from pipeline.retention.prune import prune
    from pipeline.served_model import last_pushed
    from pipeline.workspace import Workspace

    flags = ("runs", "days", "versions", "cache_gigabytes")
    own = {f"retention.{key}": getattr(options, key) for key in flags}
    given = {key: value for key, value in own.items() if value is not None}
    config = effective(options, given)
    # Where the versions lie the last run knows better than the defaults do.
    pushed = None if options.config else last_pushed(Workspace.of(config))
    retention = config.retention
    return prune(pushed or config, retention, delete=options.yes, inside_only=pushed is not None)


def _add_config_flags(parser: argparse.ArgumentParser) -> None:
    add_workspace(parser)
    parser.add_argument("--data", help="folder per class, manifest, or .tfrecord files")
    parser.add_argument("--seed", type=int, help="of the split, the search and the training")
    parser.add_argument("--backbone", help="EfficientNetLite0 or a Keras Applications model")
    parser.add_argument("--weights", help="imagenet, none, or the path of a weights file")
    parser.add_argument("--image-size", type=int, help="side in pixels")
    parser.add_argument("--trials", type=int, help="trials of the search")
    parser.add_argument("--strategy", help="auto, feature_extraction or fine_tune")
    parser.add_argument("--epochs", type=int, help="most fine-tuning epochs")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other key, such as --set evaluation.min_accuracy=0.9",
    )


def _needed(options: argparse.Namespace) -> int:
    from pipeline.needed.needed_command import say_whether_needed
    from pipeline.preflight import check

    config = effective(options)
    check(config)
    return say_whether_needed(config, by_monitor=options.by_monitor)


def _stage(options: argparse.Namespace) -> int:
    from pipeline.stages import check_stage

    check_stage(effective(options), options.name)
    return _run(options, until=options.name)


@own_temporary()
def _run(options: argparse.Namespace, until: str = "") -> int:
    from pipeline.preflight import check
    from pipeline.run import print_refusal, run

    try:
        config = effective(options)
        check(config)
        return run(
            config,
            wait=options.wait,
            as_json=options.json,
            until=until,
            if_needed=getattr(options, "if_needed", False),
        )
    except (Exception, KeyboardInterrupt) as error:
        if options.json:
            print_refusal(str(error) or "The run was interrupted.", _exit_code(error))
        raise


def _exit_code(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return _INTERRUPTED
    return error.exit_code if isinstance(error, GraftError) else GraftError.exit_code


@own_temporary()
def _demo(options: argparse.Namespace) -> int:
    from pipeline.demo import demo

    return demo(options.workspace.absolute())


def _init(options: argparse.Namespace) -> int:
    from pipeline.config_file import commented_default

    try:
        with options.file.open("x", encoding="utf-8") as file:
            file.write(commented_default())
    except FileExistsError:
        raise UsageError(f"{options.file} exists already; it was left as it is.") from None
    except OSError as error:
        raise UsageError(f"{options.file} cannot be written: {error.strerror}.") from None
    command = shlex.join(["graft", "run", "--config", str(options.file)])
    print(f"Wrote {options.file}. Set data.path in it, then: {command}")
    return 0


def _config(options: argparse.Namespace) -> int:
    from pipeline.config_file import as_yaml

    print(as_yaml(effective(options)), end="")
    return 0


def _runs(options: argparse.Namespace) -> int:
    from pipeline.past_runs import print_runs

    return print_runs(effective(options), as_json=options.json)


def _report(options: argparse.Namespace) -> int:
    from pipeline.past_runs import print_report

    return print_report(effective(options), options.run_id)


@own_temporary()
def _worker(options: argparse.Namespace) -> int:
    from pipeline.worker_command import work

    return work(options.folder, options.timeout, str(options.secret or ""))


if __name__ == "__main__":
    sys.exit(main())
