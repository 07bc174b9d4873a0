"""`graft-model-server`: the embedded server, by the one name that an installed Graft takes."""

from serving.__main__ import run_and_leave as main

__all__ = ["main"]
