"""Paths for programs that take a path for a pattern.

Beam, TensorFlow and TFX look files up by patterns, and none of them offers a way to say that a
bracket is a bracket. So they get a folder whose name is not plain through a link whose name is.
The link has always the same name, for ML Metadata keeps it.
"""

import hashlib
import os
import re
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from models.errors import UsageError

_PLAIN: Final = re.compile(r"[\w ./+,@=-]*")
"""What means nothing to any of them. Letters with loose accents are not among it, nor are names
that are not UTF-8."""


def plain_path(folder: Path) -> Path:
    """The folder itself where its path is plain, else a link to it; then it is made, too.

    Args:
        folder: absolute.

    Raises:
        UsageError: a link is needed, and there is no place for it.
    """
    if is_plain(folder):
        return folder
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    for home in _homes():
        with suppress(OSError):
            return _link(home, name, folder)
    raise UsageError(
        f"The path {str(folder)!r} holds other characters than letters, digits and ' ./+,@=-_', "
        f"and no link to it could be made below {' or '.join(map(str, _homes()))}. Choose another "
        "path, or set XDG_CACHE_HOME to a folder that can be written."
    )


def is_plain(path: Path) -> bool:
    """Whether a path means the same as a pattern."""
    return bool(_PLAIN.fullmatch(str(path)))


def _homes() -> Iterator[Path]:
    """Where links may lie, the best place first; the system's may be lost when it starts anew."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    system = Path(tempfile.gettempdir()) / f"graft-{os.geteuid()}"
    for home in (Path(caches, "graft"), system):
        if home.is_absolute() and is_plain(home):
            yield home / "links"


def _link(home: Path, name: str, folder: Path) -> Path:
    for place in (home.parent, home):
        place.mkdir(parents=True, mode=0o700, exist_ok=True)
        # In a folder that all may write to, somebody else could have made it first.
        status = place.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise PermissionError
    folder.mkdir(parents=True, exist_ok=True)
    link = home / name
    if not link.is_symlink() or link.readlink() != folder:
        fresh = home / f"{name}.{uuid.uuid4().hex}"
        fresh.symlink_to(folder, target_is_directory=True)
        fresh.replace(link)
    return link
