"""What earlier searches gave to a new one of `WarmStartOracle`, for people to judge."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from models.history.records import Count, Share
from models.history.search_space import Frozen, Text

Origin = Literal["portfolio", "model", "cold", "random"]
Weights = Annotated[tuple[Share, ...], Field(max_length=100_000)]


class SourceContribution(Frozen):
    """What one earlier search gave.

    Attributes:
        name: of the earlier search, for people.
        trials: that it had completed.
        shared_parameters: hyperparameters that both searches have.
        weights: its share of the model's weight, one for each finished trial of the new search.
        rank_agreement: Kendall's tau, -1..1, between how it ranks the new search's trials and how
            they scored; at the end of the search, None with too few trials.
        dropped_after: finished trials after which it was no longer listened to; None if it stayed.
        words: how much it gave and why, one sentence.
    """

    name: Text
    trials: Count
    shared_parameters: Count
    weights: Weights
    rank_agreement: Annotated[float, Field(ge=-1.0, le=1.0)] | None = None
    dropped_after: Count | None = None
    words: Text = ""


class LeftOut(Frozen):
    """An earlier search that could not be learned from.

    Attributes:
        name: of the search, for people.
        reason: one sentence or less.
    """

    name: Text
    reason: Text


class Proposal(Frozen):
    """Where one trial of the new search came from.

    Attributes:
        order: position in the search, from 0.
        origin: "portfolio", the configurations that did well before; "model", of the earlier
            searches and this one; "cold", of this search alone; "random".
        score: higher is better; None when the trial failed.
    """

    order: Count
    origin: Origin
    score: float | None = None


class Contribution(Frozen):
    """What all earlier searches gave to a new one.

    Attributes:
        sources: that were used.
        left_out: that were not.
        cold_weights: the new search's own share of the model's weight, one for each finished
            trial; with the sources' it adds up to 1.
        proposals: every trial, in the order of the search.
        expected_random: best score so far that a random search would be expected to have, by
            number of trials; scores as in `proposals`. Empty where it cannot be told.
        trials_saved: that a random search would have taken more to come nearly as far, as likely
            as not. None where it cannot be told.
        seconds_saved: that these random trials would have taken; None where it cannot be told.
        words: all of it in a sentence or two.
    """

    sources: Annotated[tuple[SourceContribution, ...], Field(max_length=10_000)] = ()
    left_out: Annotated[tuple[LeftOut, ...], Field(max_length=10_000)] = ()
    cold_weights: Weights = ()
    proposals: Annotated[tuple[Proposal, ...], Field(max_length=100_000)] = ()
    expected_random: Annotated[tuple[float, ...], Field(max_length=100_000)] = ()
    trials_saved: Count | None = None
    seconds_saved: Annotated[float, Field(ge=0.0)] | None = None
    words: Text = ""

    @model_validator(mode="after")
    def _check(self) -> "Contribution":
        for source in self.sources:
            if len(source.weights) != len(self.cold_weights):
                raise ValueError(
                    f"{source.name} has {len(source.weights)} weights, "
                    f"the search itself {len(self.cold_weights)}"
                )
        for place, proposal in enumerate(self.proposals):
            if proposal.order != place:
                raise ValueError(f"trial {proposal.order} in the place of {place}")
        return self
