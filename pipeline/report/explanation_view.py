"""The report's section on where in the images the model saw its answers."""

from dataclasses import dataclass

from components.judge.explanations import Explanation
from pipeline.report.artifacts import Artifacts
from pipeline.report.heat_picture import heat_picture
from pipeline.report.small_picture import jpeg_uri

_SIDE = 144


@dataclass(frozen=True)
class Explained:
    """One image: as the model saw it, and with the heat over it; data URIs of JPEGs.

    Attributes:
        of: what was answered, and how sure.
        seen: the square that the model saw.
        for_answer: with what speaks for the answer.
        for_truth: with what speaks for the true class; empty where that is the answer.
    """

    of: Explanation
    seen: str
    for_answer: str
    for_truth: str


@dataclass(frozen=True)
class ExplanationView:
    """What the section shows.

    Attributes:
        mistakes: the worst wrong answers.
        right: some right ones.
    """

    mistakes: list[Explained]
    right: list[Explained]


def explanation_view(found: Artifacts) -> ExplanationView | None:
    """Builds the section; None where nothing was explained."""
    if not found.explanations:
        return None
    drawn = [_drawn(each) for each in found.explanations]
    return ExplanationView(
        mistakes=[each for each in drawn if not each.of.is_right],
        right=[each for each in drawn if each.of.is_right],
    )


def _drawn(each: Explanation) -> Explained:
    truth = each.for_truth
    return Explained(
        of=each,
        seen=jpeg_uri(each.seen),
        for_answer=jpeg_uri(heat_picture(each.seen, each.for_answer, _SIDE)),
        for_truth="" if truth is None else jpeg_uri(heat_picture(each.seen, truth, _SIDE)),
    )
