"""What was decided and done before, in a file of its own: it holds times, the evidence does not."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from models.storage.seals import read_sealed, write_sealed
from monitoring.decision import Decision, Past, after_push, after_training


class Training(NamedTuple):
    """A training that was begun on a decision.

    Attributes:
        episode: as `episode_of` named it.
        at: when, seconds since 1970.
        vain: how it ended, where it came to no new version; empty for all others.
    """

    episode: str
    at: float
    vain: str = ""


def episode_of(version: int, past: Past) -> str:
    """Names the trouble that a version is in; empty for none."""
    return "" if past.episode is None else f"{version}-{past.episode:.0f}"


class DecisionMemory:
    """Brings what a decision has to know from one look to the next."""

    def __init__(self, file: Path) -> None:
        """Takes the file, which is made if it is missing; a damaged one is begun anew."""
        self._file = file

    def past(self, version: int, trainings: Sequence[Training]) -> Past:
        """What was done before.

        Args:
            version: that is decided on now.
            trainings: all that were begun on a decision, oldest first.
        """
        content = read_sealed(self._file)
        if content is None:
            return Past()
        kept = json.loads(content)
        past = Past(**kept["past"])
        # By their order where it can be, as clocks may have been set back since.
        known = [place for place, each in enumerate(trainings) if each.at == past.trained]
        after = [each for each in trainings if each.at > (past.trained or 0.0)]
        fresh = trainings[known[-1] + 1 :] if known else after
        for each in fresh:
            past = after_training(Decision("retrain", "harmful", each.episode, past=past), each.at)
        vain = [each.vain for each in trainings if each.at == past.trained]
        past = replace(past, vain=vain[-1] if vain else "")
        return past if kept["version"] == version else after_push(past)

    def keep(self, version: int, past: Past) -> None:
        """Replaces the file.

        Raises:
            OSError: it cannot be written.
        """
        content = json.dumps({"version": version, "past": asdict(past)})
        write_sealed(self._file, content.encode())
