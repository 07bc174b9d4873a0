"""What a worker and the run that serves a search say to each other: JSON over gRPC."""

from typing import Annotated, Final

from pydantic import Field

from models.history.records import Evaluation
from models.history.search_space import Frozen, Text, Value

SERVICE: Final = "graft.Search"
MARK: Final = "graft-search"
"""Metadata of every call: `models.search.workers.served_search.ServedSearch.mark`."""


class Report(Frozen):
    """A worker asks for a job and says what came of its last one, or that it is still at it.

    Attributes:
        worker: who asks; no two may have the same name.
        job: the last one, or the one that it is at; empty where there was none.
        evaluation: of that job; None where it failed.
        message: why it failed.
        refused: why its backbone cannot be had; empty where it can.
        leaves: whether the worker will not end the job, as its machine lacks that backbone.
    """

    worker: Text = ""
    job: Text = ""
    evaluation: Evaluation | None = None
    message: Annotated[str, Field(max_length=10_000)] = ""
    refused: Text = ""
    leaves: bool = False


class Answer(Frozen):
    """What the worker does next.

    Attributes:
        job: no other one of the search has its name; empty where there is none now, so that the
            worker asks again.
        values: of the hyperparameters.
        is_over: whether there will be no job again.
    """

    job: Text = ""
    values: dict[str, Value] = Field(default_factory=dict, max_length=1000)
    is_over: bool = False
