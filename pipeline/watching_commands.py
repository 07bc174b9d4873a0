"""The commands that watch the served model."""

import argparse
from typing import Any

from pipeline.command_line import add_workspace, command, count, effective, port, served

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
    monitor.add_argument("--host", default="127.0.0.1", help="address of that (default 127.0.0.1)")
    monitor.add_argument("--json", action="store_true", help="print health.json alone on stdout")
    add_workspace(monitor)


def _monitor(options: argparse.Namespace) -> int:
    from pipeline.watch.monitor_command import Following, monitor
    from pipeline.watch.watched import watched

    following = None
    if options.follow:
        following = Following(max(options.every, 1), options.metrics_port, options.host)
    found = watched(effective(options), served(options))
    return monitor(found, following, as_json=options.json)
