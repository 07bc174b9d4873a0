"""Scores every candidate, chooses one and writes the BackboneChoice artifact."""

from collections.abc import Sequence
from pathlib import Path

import pydantic
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_types import Artifacts, Params
from components.backbone_chooser.chosen_backbone_resolver import CHOSEN, chosen_key
from components.backbone_chooser.sample import draw_sample
from components.backbone_chooser.scoring import Scorer
from models import progress
from models.backbone_choice.backbone_choice import (
    Candidate,
    ChoiceRule,
    Contender,
    LeftOutCandidate,
    choose,
    write_choice,
)
from models.backbone_choice.model_settings import ChoiceSettings, ModelSettings
from models.backbones import default_image_size
from models.errors import UsageError

_CANDIDATES = pydantic.TypeAdapter(tuple[Candidate, ...])


class Executor(base_executor.BaseExecutor):
    """Writes the BackboneChoice artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.backbone_chooser.component`.

        Raises:
            UsageError: a candidate's name is unknown, or no candidate can be had.
            BadDataError: fewer than two classes, or an image that cannot be decoded.
        """
        model = ModelSettings.from_json(exec_properties["model"])
        candidates = _settled(_CANDIDATES.validate_python(model.resolved_candidates))
        settings = ChoiceSettings.from_json(exec_properties["settings"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        sample = draw_sample(examples.uri, settings.images, exec_properties["seed"])
        scorer = Scorer(sample, model.resize, model.features, exec_properties["cache_dir"])
        contenders, left_out = _score(scorer, candidates)
        rule = ChoiceRule(price=settings.price, standard_errors=settings.standard_errors)
        choice = choose(contenders, rule, left_out)
        artifact = artifact_utils.get_single_instance(output_dict["choice"])
        write_choice(Path(artifact.uri), choice)
        artifact.set_string_custom_property(CHOSEN, chosen_key(choice))


def _settled(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Each once, with its size in pixels.

    An unknown name ends the run at once: it is a slip of the pen, not something out of reach.
    """
    sizes = [default_image_size(each.backbone) for each in candidates]
    settled = [
        each.model_copy(update={"image_size": each.image_size or size})
        for each, size in zip(candidates, sizes, strict=True)
    ]
    return list(dict.fromkeys(settled))


def _score(
    scorer: Scorer, candidates: Sequence[Candidate]
) -> tuple[list[Contender], list[LeftOutCandidate]]:
    contenders: list[Contender] = []
    left_out: list[LeftOutCandidate] = []
    for done, candidate in enumerate(candidates, start=1):
        note = f"{candidate} left out"
        try:
            contender = scorer.score(candidate)
        except UsageError as error:
            left_out.append(LeftOutCandidate(candidate=candidate, reason=str(error)))
        else:
            contenders.append(contender)
            note = f"{candidate} {contender.measured.accuracy:.3f}"
        progress.report(done, len(candidates), "candidates", note)
    if not contenders:
        reasons = "\n".join(f"  {each.candidate}: {each.reason}" for each in left_out)
        raise UsageError(f"None of the backbones in model.candidates can be had:\n{reasons}")
    return contenders, left_out
