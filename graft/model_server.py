"""`graft-model-server`: the embedded server, by the one name that an installed Graft takes."""

from serving.__main__ import main

__all__ = ["main"]
