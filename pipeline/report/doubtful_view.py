"""The report's part on labels that look wrong."""

from dataclasses import dataclass
from typing import Final

from components.label_check.label_errors_file import DoubtfulLabel, FoundLabelErrors
from pipeline.report import pictures

_SHOWN: Final = 24


@dataclass(frozen=True)
class DoubtfulPicture:
    """An image with a label that looks wrong.

    Attributes:
        label: and what it looks like.
        source: data URI; empty if it was not found.
        is_left_out: whether it is neither trained nor validated on.
    """

    label: DoubtfulLabel
    source: str
    is_left_out: bool


@dataclass(frozen=True)
class DoubtfulView:
    """What the part shows.

    Attributes:
        words: how many labels look wrong.
        reason: why images are left out, or none; empty where no label looks wrong.
        unchecked: images whose label could not be weighed.
        suspects: number of labels that look wrong.
        pictures: the most doubtful of them, at most 24.
    """

    words: str
    reason: str
    unchecked: int
    suspects: int
    pictures: list[DoubtfulPicture]


def doubtful_view(found: FoundLabelErrors | None, examples_uri: str | None) -> DoubtfulView | None:
    """Builds the part; None where nobody looked for wrong labels.

    Args:
        found: by LabelCheck.
        examples_uri: directory of the Examples artifact, for the pictures; None without.
    """
    if found is None:
        return None
    shown = [each for each in found.doubtful if each.is_suspect][:_SHOWN]
    sources: dict[str, str] = {}
    for split in {each.split for each in shown} if examples_uri else ():
        names = [each.name for each in shown if each.split == split]
        sources |= pictures.named(str(examples_uri), split, names)
    left_out = frozenset(found.left_out)
    return DoubtfulView(
        words=found.words,
        reason=found.reason if found.suspects else "",
        unchecked=found.unchecked,
        suspects=found.suspects,
        pictures=[
            DoubtfulPicture(each, sources.get(each.name, ""), each.name in left_out)
            for each in shown
        ],
    )
