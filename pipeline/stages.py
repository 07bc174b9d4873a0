"""The stages of a run by their names, and which waits for which."""

import os
from pathlib import Path

from models.errors import UsageError
from models.spelling import did_you_mean
from pipeline.config import Config
from pipeline.terminal.quiet import output_to


def stage_graph(config: Config) -> dict[str, tuple[str, ...]]:
    """The stages in an order in which they can run, each with those that it waits for.

    Look-ups, which do no work, are left out: what waits for one waits for what that needs. So are
    waits that follow from others.

    Args:
        config: of the run.
    """
    # TFX greets whoever imports it.
    with output_to(Path(os.devnull)):
        from pipeline.dag import build_pipeline
        from pipeline.node_names import RESOLVERS

        components = build_pipeline(config).components
    waits: dict[str, set[str]] = {}
    before: dict[str, set[str]] = {}
    for node in components:
        direct = {each.id for each in node.upstream_nodes}
        looked_up = direct & set(RESOLVERS)
        direct = direct.difference(looked_up).union(*(waits[each] for each in looked_up))
        before[node.id] = direct.union(*(before[each] for each in direct))
        implied = set().union(*(before[each] for each in direct))
        waits[node.id] = direct - implied
    return {name: tuple(sorted(of)) for name, of in waits.items() if name not in RESOLVERS}


def check_stage(config: Config, name: str) -> None:
    """Checks that there is such a stage.

    Raises:
        UsageError: there is not; names those that there are.
    """
    known = stage_graph(config)
    if name not in known:
        question = did_you_mean(name, known)
        raise UsageError(f"Expected one of the stages {', '.join(known)}; got {name!r}.{question}")
