"""The report's section on the choice among several backbones."""

from dataclasses import dataclass

from models.backbone_choice.backbone_choice import BackboneChoice, Compared
from models.data import example_schema
from pipeline.report.artifacts import Artifacts
from pipeline.report.run_view import duration

_PASSES_TRAINING = 3
"""A training step costs about three forward passes: one forward, two for the gradients."""


@dataclass(frozen=True)
class CandidateRow:
    """One candidate, as text but for `chosen`.

    Attributes:
        name: backbone, side in pixels, weights.
        accuracy: of the quick probe, with its standard error.
        alone: milliseconds of one image by itself.
        batch: milliseconds of an image in a batch.
        embedding: estimated time to embed all images.
        epoch: estimated time of an epoch in which all layers are trained.
        behind: the best candidate's lead, with its standard error; "best" for itself.
        chosen: whether this candidate was chosen.
    """

    name: str
    accuracy: str
    alone: str
    batch: str
    embedding: str
    epoch: str
    behind: str
    chosen: bool


@dataclass(frozen=True)
class ChoiceView:
    """What the section shows.

    Attributes:
        words: why that backbone was chosen.
        rule: the rule, with its figures.
        rows: the candidates, the cheapest first.
        left_out: names of the others, each with the reason.
    """

    words: str
    rule: str
    rows: list[CandidateRow]
    left_out: list[tuple[str, str]]


def choice_view(found: Artifacts) -> ChoiceView | None:
    """Builds the section; None where there was nothing to choose from."""
    choice = found.choice
    if choice is None:
        return None
    images = found.ingest.get("images", 0)
    train = found.ingest.get("splits", {}).get(example_schema.TRAIN, 0)
    return ChoiceView(
        words=choice.words,
        rule=_rule(choice),
        rows=[
            _row(each, images, train, chosen=place == choice.chosen)
            for place, each in enumerate(choice.compared)
        ],
        left_out=[(str(each.candidate), each.reason) for each in choice.left_out],
    )


def _row(compared: Compared, images: int, train: int, *, chosen: bool) -> CandidateRow:
    measured = compared.measured
    seconds = measured.batch_milliseconds / 1000
    lead = f"{compared.behind:.3f} ± {compared.behind_error:.3f}"
    return CandidateRow(
        name=str(measured.candidate),
        accuracy=f"{measured.accuracy:.3f} ± {measured.standard_error:.3f}",
        alone=f"{measured.milliseconds:.1f}",
        batch=f"{measured.batch_milliseconds:.1f}",
        embedding=duration(images * seconds),
        epoch=duration(_PASSES_TRAINING * train * seconds),
        behind=lead if compared.behind > 0 else "best",
        chosen=chosen,
    )


def _rule(choice: BackboneChoice) -> str:
    rule = choice.rule
    errors = f"{rule.standard_errors:g} standard error{'' if rule.standard_errors == 1 else 's'}"
    return (
        f"Each candidate embedded the same {choice.images:,} training and validation images; a "
        "linear probe then answered each image from all others. The rule: of the candidates at "
        f"most {errors} behind the best, the cheapest; a doubling of the time an image must bring "
        f"{rule.price:g} of accuracy."
    )
