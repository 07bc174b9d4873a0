"""`graft card`: the model card of a pushed version."""

from components.artifact_names import CARD_FILE, MARKDOWN_CARD_FILE
from models.errors import UsageError
from models.storage.seals import EXTRA
from pipeline.served_model import Served


def print_card(model: Served, version: int | None, *, as_markdown: bool) -> int:
    """Prints the path of the card, or the card itself.

    Args:
        model: the pushed model.
        version: None for the newest.
        as_markdown: print the card itself.

    Returns:
        The exit code.

    Raises:
        UsageError: there is no such version, or it has no card.
    """
    folder = model.version(version)
    card = folder / EXTRA / (MARKDOWN_CARD_FILE if as_markdown else CARD_FILE)
    if not card.is_file():
        raise UsageError(
            f"Version {folder.name} has no model card: an earlier Graft or another tool pushed it. "
            "`graft run` pushes one that has."
        )
    print(card.read_text("utf-8") if as_markdown else card, end="" if as_markdown else "\n")
    return 0
