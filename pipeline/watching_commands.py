"""The commands that watch the served model: `graft monitor` and `graft labels`."""

import argparse
from typing import Any

from models.errors import UsageError
from models.listening import bare_host
from pipeline.command_line import (
    add_workspace,
    command,
    count,
    effective,
    local_path,
    port,
    served,
)

_CODES = """exit codes:
  0   healthy
  10  drift that does no harm so far
  11  harmful: answers are worse than before the push
  12  data fault: what is sent is broken
  13  too little data to say
"""


def add_watching_commands(commands: Any) -> None:
    """Declares the commands.

    Args:
        commands: subparsers of `graft`.
    """
    about = "say from the request log whether the served model is still right, and what to do"
    monitor = command(commands, "monitor", _monitor, about)
    monitor.epilog, monitor.formatter_class = _CODES, argparse.RawDescriptionHelpFormatter
    monitor.add_argument("--follow", action="store_true", help="go on until it is stopped")
    monitor.add_argument(
        "--every", type=count, default=15, metavar="SECONDS", help="from look to look (default 15)"
    )
    monitor.add_argument(
        "--metrics-port", type=port, help="answer Prometheus there, at /metrics, while it follows"
    )
    monitor.add_argument(
        "--host", type=bare_host, default="127.0.0.1", help="address of that (default 127.0.0.1)"
    )
    monitor.add_argument("--json", action="store_true", help="print health.json alone on stdout")
    about = (
        "take labels that came later, say which images are most worth labelling, or which labels "
        "of the data look wrong"
    )
    labels = command(commands, "labels", _labels, about)
    labels.add_argument(
        "file",
        nargs="?",
        type=local_path,
        help="CSV, JSON Lines or Parquet with request_id (and row) or digest, and label",
    )
    labels.add_argument(
        "--suggest", type=count, metavar="N", help="list the N images most worth labelling"
    )
    labels.add_argument(
        "--errors",
        action="store_true",
        help="write a manifest of the data in which labels that look wrong come first",
    )
    labels.add_argument(
        "--output",
        type=local_path,
        metavar="FILE",
        help="CSV to write to, as a manifest to fill in",
    )
    for parser in (monitor, labels):
        add_workspace(parser)


def _monitor(options: argparse.Namespace) -> int:
    from pipeline.watch.monitor_command import Following, monitor
    from pipeline.watch.watched import watched

    following = None
    if options.follow:
        following = Following(max(options.every, 1), options.metrics_port, options.host)
    found = watched(effective(options), served(options))
    return monitor(found, following, as_json=options.json)


def _labels(options: argparse.Namespace) -> int:
    from pipeline.watch.labels_command import print_suggestions, take_labels
    from pipeline.watch.watched import watched

    asked = (options.file is not None, options.suggest is not None, options.errors)
    if sum(asked) != 1:
        raise UsageError(
            "Name a FILE of labels, or say --suggest N for what is worth labelling, or --errors "
            "for labels that look wrong."
        )
    if options.errors:
        from pipeline.label_errors_command import write_manifest

        return write_manifest(effective(options), options.output)
    found = watched(effective(options), served(options))
    if options.file is not None:
        return take_labels(found, options.file)
    return print_suggestions(found, options.suggest, options.output)
