"""What only people know of a model: the section `card`."""

from typing import Annotated

from pydantic import Field

from models.settings import Section

_Text = Annotated[str, Field(max_length=20_000)]


class CardSettings(Section):
    """Your words in the model card, which travels with a pushed model. Empty lines part paragraphs.

    The card calls what is empty "not stated". Other words make another version of the same model.
    """

    intended_use: _Text = ""
    """What the model is for, and who uses it."""
    out_of_scope: _Text = ""
    """What it must not be used for."""
    data: _Text = ""
    """Where the images come from, by what right they are used, and whom they show."""
    limits: _Text = ""
    """What is known to go wrong, beside what the figures show."""
    considerations: _Text = ""
    """What harm the model may do to whom, and what was done about it."""
    contact: _Text = ""
    """Whom to ask."""
