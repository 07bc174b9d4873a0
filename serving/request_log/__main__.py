"""`python -m serving.request_log FOLDER DAYS BYTES`: see `writer_process.py`."""

import logging
import os
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from serving.request_log.writer import Writer

_LOOK_SECONDS: Final = 1.0
_POLITE: Final = 10


def main(arguments: Sequence[str]) -> None:
    """Looks after the log until standard input ends, and once more then."""
    # Ctrl-C, and systemd's SIGTERM to all processes of a service, are meant for the server, which
    # ends this process in its own time.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_POLITE)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder, days, most = arguments
    writer = Writer(Path(folder), float(days), int(most))
    while not _has_ended():
        writer.step()
    writer.step()


def _has_ended() -> bool:
    """Waits a moment; whether the server is gone."""
    readable, _, _ = select.select([sys.stdin], [], [], _LOOK_SECONDS)
    return bool(readable) and not os.read(sys.stdin.fileno(), 1024)


if __name__ == "__main__":
    main(sys.argv[1:])
