"""A file that the user asked for, at a place of the user's choice."""

from pathlib import Path

from models.errors import GraftError
from models.storage.atomic_write import write_atomically


def write_output(file: Path, content: bytes) -> None:
    """Writes a file in one step.

    Raises:
        GraftError: it cannot be written.
    """
    try:
        write_atomically(file, content)
    except OSError as error:
        raise GraftError(f"{file} cannot be written: {error.strerror}.") from None
