"""Whether what is written somewhere would be taken for images that are read."""

import os
from pathlib import Path


def lies_among_images(folder: Path, data: str | Path) -> bool:
    """Whether whoever walks through images comes to a folder; hidden ones are passed over.

    Args:
        folder: that is written to; it need not be there.
        data: what is walked through; nothing lies in a file.
    """
    source = Path(os.path.realpath(data))
    inside = Path(os.path.realpath(folder))
    if not source.is_dir() or not inside.is_relative_to(source):
        return False
    return not any(part.startswith(".") for part in inside.relative_to(source).parts)
