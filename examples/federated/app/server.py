"""The server: averages what the sites send, and keeps the head of the last round."""

from pathlib import Path

import numpy as np
from flwr.app import Context
from flwr.common import parameters_to_ndarrays
from flwr.compat.common.recorddict_compat import arrayrecord_to_parameters
from flwr.server import LegacyContext, ServerConfig
from flwr.server.strategy import FedAvg
from flwr.server.workflow import DefaultWorkflow, SecAggPlusWorkflow
from flwr.server.workflow.constant import MAIN_PARAMS_RECORD
from flwr.serverapp import Grid, ServerApp
from head import Head

_SITES = 3
_GREATEST = 64.0
"""Secure aggregation cuts off what is greater: features end at 6 (ReLU6), their squares at 36."""

app = ServerApp()


class AllSites(FedAvg):
    """Counts the rounds to which every site came; Flower would go on without an average.

    Attributes:
        complete: how many there were.
    """

    complete = 0

    def aggregate_fit(self, server_round: int, results: list, failures: list) -> tuple:
        """Averages, weighted by images."""
        self.complete += len(results) == _SITES
        return super().aggregate_fit(server_round, results, failures)


@app.main()
def main(grid: Grid, context: Context) -> None:
    """One round for the standardisation, and as many as asked for of training."""
    asked = context.run_config
    rounds = asked["rounds"] + 1
    strategy = AllSites(
        fraction_evaluate=0.0,
        min_fit_clients=_SITES,
        min_available_clients=_SITES,
        on_fit_config_fn=lambda number: {"round": number, "steps": asked["steps"]},
    )
    state = LegacyContext(context, ServerConfig(num_rounds=rounds), strategy)
    secure = SecAggPlusWorkflow(_SITES, _SITES - 1, clipping_range=_GREATEST)
    DefaultWorkflow(fit_workflow=secure if asked["secure"] else None)(grid, state)
    if strategy.complete < rounds:
        raise RuntimeError(
            f"All {_SITES} sites should have come to {rounds} rounds, but came to "
            f"{strategy.complete}. The logs of the SuperNodes say why; then run it again."
        )
    parameters = arrayrecord_to_parameters(state.state.array_records[MAIN_PARAMS_RECORD], True)
    head = Head(*parameters_to_ndarrays(parameters))
    part = Path(f"{asked['output']}.part.npz")
    np.savez(part, **head._asdict())
    part.rename(asked["output"])  # in one step: who waits for it reads all of it
