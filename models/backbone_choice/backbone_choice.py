"""Choosing one of several backbones: what is known of each, the rule, and `choice.json`.

The rule. A candidate's utility is its probe's accuracy minus `price` for every doubling of its cost
over the cheapest one's; its cost is the geometric mean of its milliseconds an image alone (what
serving waits for) and in a batch (what embedding and training pay). The best candidate has the
highest utility. Chosen is the cheapest candidate whose utility lies at most `standard_errors`
standard errors below the best one's: a difference that the sample cannot tell from chance is not
paid for. The standard error is that of the difference over the same images, which is smaller than
that of either accuracy.

The file, version 1, is one JSON object in UTF-8, a `BackboneChoice`. A reader ignores fields that
it does not know.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
import pydantic
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.errors import GraftError
from models.storage.atomic_write import write_atomically

FILE_NAME: Final = "choice.json"
_VERSION: Final = 1

_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Positive = Annotated[float, Field(gt=0.0)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Candidate(_Record):
    """A backbone as it is asked for: the arguments of `build_backbone`."""

    backbone: str
    weights: str
    image_size: int | None

    def __str__(self) -> str:
        side = f" at {self.image_size} px" if self.image_size else ""
        weights = "" if self.weights == "imagenet" else f" with weights {self.weights}"
        return f"{self.backbone}{side}{weights}"


class ChoiceRule(_Record):
    """The rule's two figures; see the module.

    Attributes:
        price: accuracy that a doubling of the cost must bring.
        standard_errors: how far behind the best a cheaper candidate may lie.
    """

    price: Annotated[float, Field(ge=0.0)]
    standard_errors: Annotated[float, Field(ge=0.0)]


class Measured(_Record):
    """What was measured of a candidate.

    Attributes:
        candidate: with its image size in pixels.
        weights_digest: SHA-256 over the weights' values.
        dimension: features of an image.
        accuracy: of the quick probe.
        standard_error: of the accuracy.
        milliseconds: of a forward pass over one image, the quickest of several.
        batch_milliseconds: an image of a forward pass over a batch, likewise.
    """

    candidate: Candidate
    weights_digest: str
    dimension: int
    accuracy: _Share
    standard_error: Annotated[float, Field(ge=0.0)]
    milliseconds: _Positive
    batch_milliseconds: _Positive

    @property
    def cost(self) -> float:
        """Milliseconds an image, the geometric mean of alone and in a batch."""
        return math.sqrt(self.milliseconds * self.batch_milliseconds)


class Compared(_Record):
    """A candidate beside the others.

    Attributes:
        measured: of the candidate.
        utility: accuracy less the price of its cost.
        behind: by how much the best candidate's utility is higher.
        behind_error: standard error of that difference.
    """

    measured: Measured
    utility: float
    behind: Annotated[float, Field(ge=0.0)]
    behind_error: Annotated[float, Field(ge=0.0)]


class LeftOutCandidate(_Record):
    """A candidate that could not be had, and why."""

    candidate: Candidate
    reason: str


class BackboneChoice(_Record):
    """The content of `choice.json`.

    Attributes:
        version: of the format.
        images: of the sample.
        rule: that the choice follows from.
        compared: all candidates that could be had, the cheapest first.
        chosen: position of the chosen one in `compared`.
        left_out: those that could not be had.
        words: why the chosen one was chosen, one sentence.
    """

    version: Literal[1] = _VERSION
    images: int
    rule: ChoiceRule
    compared: Annotated[tuple[Compared, ...], Field(min_length=1)]
    chosen: Annotated[int, Field(ge=0)]
    left_out: tuple[LeftOutCandidate, ...] = ()
    words: str

    @property
    def winner(self) -> Measured:
        """The chosen candidate."""
        return self.compared[self.chosen].measured

    @pydantic.model_validator(mode="after")
    def _chosen_exists(self) -> "BackboneChoice":
        if self.chosen >= len(self.compared):
            raise ValueError("chosen is no position in compared")
        return self


class ChoiceError(GraftError):
    """A file that is no `choice.json` of this version."""


@dataclass(frozen=True)
class Contender:
    """A candidate before the comparison.

    Attributes:
        measured: its figures.
        right: bool [n], which images of the sample its probe answered rightly.
    """

    measured: Measured
    right: NDArray[np.bool_]


def choose(
    contenders: Sequence[Contender], rule: ChoiceRule, left_out: Sequence[LeftOutCandidate] = ()
) -> BackboneChoice:
    """Applies the rule.

    Args:
        contenders: at least one; all were probed on the same images, in the same order.
        rule: price and standard errors.
        left_out: for the record.
    """
    ranked = sorted(contenders, key=lambda each: each.measured.cost)
    cheapest = ranked[0].measured.cost
    utilities = [
        each.measured.accuracy - rule.price * math.log2(each.measured.cost / cheapest)
        for each in ranked
    ]
    best = int(np.argmax(utilities))
    compared = tuple(
        Compared(
            measured=each.measured,
            utility=utility,
            behind=utilities[best] - utility,
            behind_error=_paired_error(ranked[best].right, each.right),
        )
        for each, utility in zip(ranked, utilities, strict=True)
    )
    chosen = next(
        place
        for place, each in enumerate(compared)
        if each.behind <= rule.standard_errors * each.behind_error
    )
    return BackboneChoice(
        images=len(ranked[0].right),
        rule=rule,
        compared=compared,
        chosen=chosen,
        left_out=tuple(left_out),
        words=_why(compared, chosen, best, rule),
    )


def _paired_error(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Standard error of the difference of two accuracies on the same images."""
    return float(np.std(one.astype(np.float64) - other) / math.sqrt(len(one)))


def _why(compared: Sequence[Compared], chosen: int, best: int, rule: ChoiceRule) -> str:
    own, top = compared[chosen], compared[best]
    name = str(own.measured.candidate)
    if len(compared) == 1:
        return f"{name} is the only candidate that could be had."
    errors = f"{rule.standard_errors:g} standard error{'' if rule.standard_errors == 1 else 's'}"
    if chosen != best:
        share = own.measured.cost / top.measured.cost
        return (
            f"{name} is the cheapest that is at most {errors} behind the best, "
            f"{top.measured.candidate}: {own.behind:.3f} ± {own.behind_error:.3f} behind, at "
            f"{share:.2f} of its cost."
        )
    if best == 0:
        return f"{name} is both the cheapest and, its cost counted, the best."
    return f"{name} is the best, its cost counted; every cheaper one is more than {errors} behind."


def write_choice(directory: Path, choice: BackboneChoice) -> None:
    """Writes `choice.json` into a directory."""
    write_atomically(directory / FILE_NAME, choice.model_dump_json(indent=2).encode())


def read_choice(directory: Path) -> BackboneChoice:
    """Reads `choice.json` of a directory.

    Raises:
        ChoiceError: there is none, or it is damaged or of another version.
    """
    path = directory / FILE_NAME
    try:
        return BackboneChoice.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ChoiceError(f"{path} is not a backbone choice: {error}") from error
