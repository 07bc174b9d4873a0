"""The searches of other tools, ready to be replayed."""

import hashlib
import importlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from benchmarks.search.methods import Method
from benchmarks.search.peers.asking import Tool, replayed
from benchmarks.search.peers.names import PEERS
from models.errors import UsageError

_FOLDER = Path(__file__).parent
_SHARED = ("buying", "asking")


def running_peers(
    names: Sequence[str], pythons: Mapping[str, Path | None], tools: ExitStack
) -> tuple[dict[str, Method], dict[str, list[str]]]:
    """Methods by name, and by name what a cache has to tell them apart by.

    Args:
        names: of `PEERS`.
        pythons: of the tools' environments, by option.
        tools: ends the processes that are started here.

    Raises:
        UsageError: an environment is not given.
        GraftError: a tool does not start.
    """
    started: dict[str, Tool] = {}
    methods, keys = {}, {}
    for name in names:
        peer = PEERS[name]
        if not peer.tool:
            here = importlib.import_module(f"benchmarks.search.peers.{peer.module}")
            search, tool_version = getattr(here, peer.search), version("keras-tuner")
        else:
            python = pythons[peer.tool]
            if python is None:
                option = "--" + peer.tool.replace("_", "-")
                raise UsageError(
                    f"{name} runs in an environment of its own, and {option} is not given. Make "
                    f"one as the first lines of peers/{peer.module}.py say, and name its Python: "
                    f"{option} VENV/bin/python"
                )
            if peer.tool not in started:
                started[peer.tool] = Tool(python, peer.module)
                tools.callback(started[peer.tool].close)
            search, tool_version = (
                started[peer.tool].search(peer.search),
                started[peer.tool].version,
            )
        methods[name] = replayed(search, with_past=peer.with_past)
        keys[name] = [_digest([*_SHARED, peer.module], tool_version)]
    return methods, keys


def _digest(modules: Sequence[str], tool_version: str) -> str:
    code = [(_FOLDER / f"{module}.py").read_bytes() for module in modules]
    return hashlib.sha256(b"".join([*code, tool_version.encode()])).hexdigest()[:16]
