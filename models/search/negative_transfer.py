"""Weights that harm: a file that promises less than the weights one would have without it.

Transfer from weights that were damaged, permuted, or made for another kind of pictures can be worse
than none (Z. Wang et al., "Characterizing and Avoiding Negative Transfer", CVPR 2019). A file named
by the user is therefore tried, as a frozen backbone under a linear head, against random weights
and, where they come with Graft, against those of ImageNet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.backbone_choice.backbone_choice import Candidate
from models.backbone_names import LITES
from models.head.evidence import Answers, compare, in_figures
from models.search.prepared_backbone import PreparedBackbone
from models.search.search_task import SearchTask

_IMAGENET: Final = "imagenet"
_RANDOM: Final = "none"
_SURE: Final = 0.95
"""Confidence that other weights are better, from which on they take the place of the user's."""


@dataclass(frozen=True)
class CheckedWeights:
    """What the trial of a file of weights came to.

    Attributes:
        task: with other candidates where weights were replaced.
        words: a sentence for each file that was tried; empty where there was none.
    """

    task: SearchTask
    words: str


def check_weights(task: SearchTask, activations: Path) -> CheckedWeights:
    """Tries the weights files of all candidates, and replaces those that harm.

    Args:
        task: to be searched on.
        activations: folder for what frozen layers make of images; nothing is written to it.

    Raises:
        UsageError: a file does not fit its backbone.
        BadDataError: no image to train or to validate on.
    """
    kept: list[Candidate] = []
    words: list[str] = []
    for candidate in task.candidates:
        if candidate.weights in (_IMAGENET, _RANDOM):
            kept.append(candidate)
            continue
        answers = {
            each: PreparedBackbone(task, each, activations).head.answers
            for each in (candidate, *_others(candidate))
        }
        best, sentence = choose_weights(candidate, answers)
        kept.append(best)
        words.append(sentence)
    unique = tuple(dict.fromkeys(kept))
    return CheckedWeights(task.model_copy(update={"candidates": unique}), " ".join(words))


def choose_weights(asked: Candidate, answers: Mapping[Candidate, Answers]) -> tuple[Candidate, str]:
    """Keeps the weights that were asked for, unless others are better for sure.

    Args:
        asked: candidate with a file of weights.
        answers: to the validation images, of linear heads on it and on the same backbone with other
            weights.

    Returns:
        The candidate to go on with, and a sentence that says why.
    """
    others = {each: one for each, one in answers.items() if each != asked}
    best = max(others, key=lambda each: others[each].expected_accuracy)
    comparison = compare(answers[best], answers[asked])
    figures = in_figures(answers[best], answers[asked])
    name = "ImageNet weights" if best.weights == _IMAGENET else "random weights"
    if comparison.confidence >= _SURE:
        return best, (
            f"The weights {asked.weights} were not used, as they harm: under a linear head {name} "
            f"promise more, {comparison}: {figures}."
        )
    return asked, (
        f"The weights {asked.weights} were tried against {name} under a linear head and kept: "
        f"{figures} for {name}."
    )


def _others(candidate: Candidate) -> list[Candidate]:
    """The same backbone with weights that need no file and no download."""
    weights = [_RANDOM, *([_IMAGENET] if candidate.backbone in LITES else [])]
    return [candidate.model_copy(update={"weights": each}) for each in weights]
