"""What the monitor decided, and what was made of it: so that one decision makes one run."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from models.errors import GraftError
from models.storage.atomic_write import write_atomically

HEALTH: Final = "health.json"
_LEDGER: Final = "retrainings.json"
_KEPT: Final = 1_000


class Standing(BaseModel):
    """The decision in `health.json`.

    Attributes:
        action: "retrain", "page" or "nothing".
        reason: why.
        episode: which trouble it is about; the same word as long as that lasts.
    """

    action: str = "nothing"
    reason: str = ""
    episode: str = ""


class _Health(BaseModel):
    decision: Standing = Standing()


@dataclass(frozen=True)
class Retraining:
    """A run that a decision asked for.

    Attributes:
        episode: which trouble it was to mend.
        at: when it began, seconds since 1970.
        run_id: its folder.
        trained_on: digest of the labelled requests that it learned from.
    """

    episode: str
    at: float
    run_id: str
    trained_on: str


def standing_decision(folder: Path) -> Standing:
    """Reads what the monitor said last; nothing to do where it said nothing.

    Args:
        folder: of the monitor.

    Raises:
        GraftError: its file is damaged.
    """
    try:
        return _Health.model_validate_json((folder / HEALTH).read_bytes()).decision
    except FileNotFoundError:
        return Standing()
    except (OSError, ValidationError) as error:
        raise GraftError(
            f"{folder / HEALTH} cannot be read ({error}). `graft monitor` writes it anew."
        ) from None


def retrainings(folder: Path) -> list[Retraining]:
    """Runs that decisions asked for, oldest first.

    Raises:
        GraftError: the list is damaged.
    """
    file = folder / _LEDGER
    try:
        return [Retraining(**each) for each in json.loads(file.read_bytes())]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise GraftError(
            f"{file} cannot be read ({error}). It keeps a decision from being acted on twice; "
            "delete it to begin anew."
        ) from None


def note_retraining(folder: Path, made: Retraining) -> None:
    """Adds a run to the list.

    Raises:
        GraftError: the list is damaged.
        OSError: it cannot be written.
    """
    kept = [*retrainings(folder), made][-_KEPT:]
    content = json.dumps([asdict(each) for each in kept], indent=2)
    write_atomically(folder / _LEDGER, content.encode())
