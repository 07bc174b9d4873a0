"""What is not used, and why: in words, and as an error where nothing is."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from components.example_gen.sources.entries import Fate, LeftOut
from models.errors import BadDataError

_NAMED = 3
_HEADINGS: dict[Fate, str] = {
    "refused": "Refused",
    "unknown": "Unknown",
    "passed_over": "Passed over",
}


class RefusedSourceError(BadDataError):
    """Nothing of a source can be learned from.

    Attributes:
        left_out: a line for everything that was offered.
        key: of the configuration that names the source.
    """

    def __init__(
        self,
        message: str,
        left_out: Iterable[LeftOut],
        others: Iterable[str] = (),
        key: str = "data.path",
    ):
        """Takes the message, what was left out by itself, names of what was not, and the key."""
        super().__init__(message)
        self.key = key
        reason = "the source as a whole cannot be learned from"
        refused = (LeftOut(name, "source_refused", reason) for name in others)
        self.left_out = (*left_out, *refused)


def describe_refusals(left_out: Sequence[LeftOut]) -> str:
    """Says in a few lines what was refused or is unknown and why, the commonest cause first.

    Args:
        left_out: everything that is not used.

    Returns:
        A sentence for each of the two; empty where all was passed over.
    """
    return describe_all([one for one in left_out if one.fate != "passed_over"])


def describe_all(left_out: Sequence[LeftOut]) -> str:
    """Says the same of what was passed over too, for where there is no image at all.

    Args:
        left_out: everything that is not used.

    Returns:
        A sentence for each fate; empty where nothing was left out.
    """
    return " ".join(
        f"{heading}: {_causes(members)}."
        for fate, heading in _HEADINGS.items()
        if (members := [one for one in left_out if one.fate == fate])
    )


def _causes(left_out: Sequence[LeftOut]) -> str:
    by_code: dict[str, list[LeftOut]] = defaultdict(list)
    for one in left_out:
        by_code[one.code].append(one)
    return ", ".join(
        f"{len(members)} {code} ({_examples(members)})"
        for code, members in sorted(by_code.items(), key=lambda item: -len(item[1]))
    )


def _examples(members: Sequence[LeftOut]) -> str:
    named = "; ".join(f"{one.name}: {one.reason}" for one in members[:_NAMED])
    return named + "; …" * (len(members) > _NAMED)
