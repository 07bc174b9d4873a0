"""Compares a canary with the stable version while it answers, and decides.

Three things are compared, each by a test that may be looked at after every request: how often
requests fail, how often they are slow, and how often the two give another answer to the same
image. The wealth of the three bets is averaged, which is one bet again (Vovk and Wang: E-values:
Calibration, combination and applications, 2021): a canary as good as the stable is rolled back
with a probability of at most `Rules.alpha`, however long it is watched.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from serving.rollout.e_processes import MeanTest, OriginTest, upper_bound

# An error rate is found last, so that it gets most of the stake.
_WEIGHTS: Final = (0.9, 0.05, 0.05)
_RECENT: Final = 200
_LOOK_AGAIN: Final = 20
_SLOW_PERCENTILE: Final = 90


class Decision(Enum):
    """What to do with the canary."""

    PROMOTE = "promote"
    ROLL_BACK = "roll back"
    GO_ON = "go on"


@dataclass(frozen=True)
class Verdict:
    """A decision, and its reason in words."""

    decision: Decision
    reason: str


@dataclass(frozen=True)
class Answer:
    """What a model says about an image.

    Attributes:
        label: the class.
        probability: of the class, as the model sees it.
    """

    label: str
    probability: float


@dataclass(frozen=True)
class Rules:
    """What is tolerated, and how sure a decision must be.

    Attributes:
        alpha: most probability of rolling back a canary that is as good as the stable.
        least_requests: a canary is not promoted before it answered so many.
        least_pairs: nor before so many images were answered by both.
        slower: a request counts as slow above this factor times the time that nine of ten recent
            requests of the stable took at most.
        differing: share of answers that may differ beside twice the stable's own doubt.
        most_differing: never may more than this share of the answers differ.
        error_margin: a promoted canary may fail this much more often than the stable, at worst.
        slow_margin: and be slow this much more often.
        answer_margin: and differ this much more often than is tolerated.
    """

    alpha: float = 0.05
    least_requests: int = 200
    least_pairs: int = 50
    slower: float = 1.5
    differing: float = 0.05
    most_differing: float = 0.6
    error_margin: float = 0.03
    slow_margin: float = 0.1
    answer_margin: float = 0.1


class Judge:
    """Takes the evidence in the order in which it came; the same evidence gives the same verdict.

    Two good models differ where one of them errs. If the canary is as good as the stable, the share
    of differing answers is at most twice the stable's rate of errors, which the stable tells by its
    doubt, 1 - its highest probability. So no labels are needed, and a canary that is wrong, or
    always unsure, stands out.
    """

    def __init__(self, rules: Rules = Rules()) -> None:
        self._rules = rules
        self._errors = OriginTest(rate_worth_finding=0.04)
        self._slow = OriginTest(rate_worth_finding=0.2)
        self._answers = MeanTest(lowest=-rules.most_differing)
        self._pairs = 0
        self._differing = 0
        self._tolerated = 0.0
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._until_look = 0
        self._limit: float | None = None
        self._is_stable_away = False

    def past(self, failed: bool, seconds: float) -> None:
        """Notes a request that the stable answered before the canary began."""
        self._errors.add_past(failed)
        if self._limit is not None:
            self._slow.add_past(failed or seconds > self._limit)
        if not failed:
            self._remember(seconds)

    def request(self, from_canary: bool, failed: bool, seconds: float, share: float) -> None:
        """Notes an answered request.

        Args:
            from_canary: which one answered.
            failed: the answer is an error.
            seconds: until the answer.
            share: probability with which the request went to the canary; in (0, 1).
        """
        self._errors.add(from_canary, failed, share)
        # Were failures of the stable left out, nearly all that answers, slow ones too, would come
        # from the canary while that one is away: more than the share that bets are on. So the first
        # failure counts as slow, and nobody bets until the stable has answered again.
        if self._limit is not None and not self._is_stable_away:
            is_slow = not from_canary if failed else seconds > self._limit
            self._slow.add(from_canary, is_slow, share)
        if not from_canary:
            self._is_stable_away = failed
        if not failed and not from_canary:
            self._remember(seconds)

    def pair(self, stable: Answer | None, canary: Answer | None) -> None:
        """Notes what both say to a copy of a request; None is an error.

        Where only one of the two fails, it was either of them by chance if they are equally good.
        Where both fail, the request is to blame.
        """
        self._errors.add(True, canary is None and stable is not None, share=0.5)
        self._errors.add(False, stable is None and canary is not None, share=0.5)
        if stable is None or canary is None:
            return
        doubt, differs = 1 - stable.probability, stable.label != canary.label
        tolerated = min(2 * doubt + self._rules.differing, self._rules.most_differing)
        self._answers.add(differs - tolerated)
        self._pairs += 1
        self._differing += differs
        self._tolerated += tolerated

    def verdict(self) -> Verdict:
        """The decision on the evidence so far."""
        wealths = (self._errors.wealth, self._slow.wealth, self._answers.wealth)
        shares = np.multiply(_WEIGHTS, wealths)
        if shares.sum() >= 1 / self._rules.alpha:
            words = (self._words_on_errors, self._words_on_time, self._words_on_answers)
            return Verdict(Decision.ROLL_BACK, words[int(shares.argmax())]())
        doubts = self._doubts()
        if doubts:
            return Verdict(Decision.GO_ON, "; ".join(doubts))
        reasons = (self._words_on_errors(), self._words_on_time(), self._words_on_answers())
        return Verdict(Decision.PROMOTE, " ".join(reasons))

    def _remember(self, seconds: float) -> None:
        self._recent.append(seconds)
        self._until_look -= 1
        if self._until_look < 0:
            nine_of_ten = float(np.percentile(self._recent, _SLOW_PERCENTILE))
            self._limit = self._rules.slower * nine_of_ten
            self._until_look = _LOOK_AGAIN

    def _doubts(self) -> list[str]:
        rules, doubts = self._rules, []
        canary = self._errors.requests[0]
        if canary < rules.least_requests:
            doubts.append(f"the canary answered {canary} of at least {rules.least_requests}")
        if self._pairs < rules.least_pairs:
            doubts.append(f"{self._pairs} of at least {rules.least_pairs} images were compared")
        if doubts:
            return doubts
        for test, margin, name in (
            (self._errors, rules.error_margin, "errors are"),
            (self._slow, rules.slow_margin, "slow requests are"),
        ):
            bound = upper_bound(test.events[0], test.requests[0], rules.alpha)
            if bound > test.events[1] / max(test.requests[1], 1) + margin:
                doubts.append(f"it is not yet sure that {name} as rare as the stable's")
        bound = upper_bound(self._differing, self._pairs, rules.alpha)
        if bound > self._tolerated / self._pairs + rules.answer_margin:
            doubts.append("it is not yet sure that the answers agree")
        return doubts

    def _words_on_errors(self) -> str:
        return f"Of the canary's requests {_rates(self._errors)} failed."

    def _words_on_time(self) -> str:
        limit = f"{1000 * (self._limit or 0):.3g} ms"
        words = f"Of the canary's requests {_rates(self._slow)} took more than {limit}."
        return (
            f"{words} The stable's that failed count as slow." if self._errors.events[1] else words
        )

    def _words_on_answers(self) -> str:
        if not self._pairs:
            return "No answers were compared."
        allowed = self._tolerated / self._pairs
        return (
            f"The answers to {self._differing} of {self._pairs} images differ"
            f" ({self._differing / self._pairs:.1%}; two good models may in {allowed:.1%})."
        )


def _rates(test: OriginTest) -> str:
    (ours, theirs), (events, others) = test.requests, test.events
    mine = f"{events} of {ours} ({events / max(ours, 1):.1%}"
    return f"{mine}; of the stable's {others} of {theirs}, {others / max(theirs, 1):.1%})"
