"""Which `models` Python would import.

An installed Graft is this package alone: its rooms lie inside it (`setup.py` puts them there). In
a checkout they are imported by the names of their folders, and another package may have the name.
"""

import importlib.util
from pathlib import Path

ROOMS = ("components", "models", "pipeline", "serving")
"""The folders of a checkout that are imported as packages."""

_HERE = Path(__file__).resolve().parent


def check_rooms() -> None:
    """Makes sure that the rooms of this checkout are the ones that would be imported.

    Raises:
        ImportError: another package has the name of one and comes first, or a room is missing.
    """
    if (_HERE / ROOMS[0]).is_dir():  # installed
        return
    for room in ROOMS:
        expected = _HERE.parent / room / "__init__.py"
        spec = importlib.util.find_spec(room)
        found = spec.origin if spec else None
        if found is None or Path(found).resolve() != expected:
            raise ImportError(
                f"Graft's package `{room}` should be {expected}, but Python finds "
                f"{found or 'none'}. Graft runs from a checkout here, whose packages are "
                "imported by their folders' names: let the checkout come first on sys.path, or "
                f"install Graft (`pip install {_HERE.parent}`), where it needs no name but `graft`."
            )
