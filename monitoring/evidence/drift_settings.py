"""How sure an alarm of drift has to be."""

from typing import Annotated

from pydantic import Field

from models.settings import Section


class DriftSettings(Section):
    """How sure an alarm of drift has to be."""

    alpha: Annotated[float, Field(gt=0.0, le=0.2)] = 0.01
    """Chance of a false alarm in the first `period` images, at most. While nothing changes, the
    images between two alarms are on average no fewer than 2 · period / alpha - period."""
    period: Annotated[int, Field(ge=100)] = 2_000
    """Different images in which a false alarm has that chance. More images make alarms rarer and
    later, though not by much: ten times as many cost two or three images of a clear shift."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Of the random numbers that decide between equal images."""
