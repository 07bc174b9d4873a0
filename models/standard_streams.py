"""The three streams that a process has from the start, where it was started without some."""

import os
import sys
from typing import Final

_NAMES: Final = ("stdin", "stdout", "stderr")


def hold_standard_streams() -> None:
    """Opens to nowhere each stream that was closed (`graft runs >&-`).

    The next file that is opened would get its number, and what libraries print to the stream would
    go into that file.
    """
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is taken: this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
