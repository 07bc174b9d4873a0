"""What a worker and the run that serves a search say to each other: JSON over gRPC."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from models.history.records import Count, Evaluation
from models.history.search_space import Number, Text, Value

SERVICE: Final = "graft.Search"
MARK: Final = "graft-search"
"""Metadata of every call: `models.search.workers.served_search.ServedSearch.mark`."""


class Report(BaseModel):
    """A worker asks for a job and says what came of its last one, or that it is still at it.

    Attributes:
        worker: who asks; no two may have the same name.
        curves: number of ended trials whose scores the worker knows.
        job: the last one, or the one that it is at; empty where there was none.
        evaluation: of that job; None where it failed.
        message: why it failed.
    """

    model_config = ConfigDict(frozen=True)

    worker: Text = ""
    curves: Count = 0
    job: Text = ""
    evaluation: Evaluation | None = None
    message: Annotated[str, Field(max_length=10_000)] = ""


class Answer(BaseModel):
    """What the worker does next.

    Attributes:
        job: no other one of the search has its name; empty where there is none now, so that the
            worker asks again.
        values: of the hyperparameters.
        fold: of the task to validate on, from 0; None for the task as it is.
        is_over: whether there will be no job again.
        curves: scores, epoch by epoch, of the ended trials that the worker did not know.
    """

    model_config = ConfigDict(frozen=True)

    job: Text = ""
    values: Annotated[dict[str, Value], Field(max_length=1000)] = {}
    fold: Count | None = None
    is_over: bool = False
    curves: tuple[tuple[Number, ...], ...] = ()
