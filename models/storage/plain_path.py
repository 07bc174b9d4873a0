"""Paths for programs that take a path for a pattern.

Beam, TensorFlow and TFX look files up by patterns, and none of them offers a way to say that a
bracket is a bracket. So they get what has no plain path through a link that has one. It has always
the same name, for ML Metadata keeps it.
"""

import hashlib
import os
import re
import stat
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from models.errors import UsageError
from models.storage.own_temporary import shared_temporary

_PLAIN: Final = re.compile(r"[\w ./+,@=-]*")
"""What means nothing to any of them. Letters with loose accents are not among it, nor are names
that are not UTF-8."""


def plain_path(path: Path) -> Path:
    """The path itself where it is plain, else a link to it.

    Args:
        path: absolute.

    Raises:
        UsageError: a link is needed, and there is no place for it.
    """
    if is_plain(path):
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    for home in _homes():
        with suppress(OSError):
            return _link(home, name, path)
    raise UsageError(
        f"The path {str(path)!r} holds other characters than letters, digits and ' ./+,@=-_', "
        f"and no link to it could be made below {' or '.join(map(str, _homes()))}. Choose another "
        "path, or set XDG_CACHE_HOME to a folder that can be written."
    )


def is_plain(path: Path) -> bool:
    """Whether a path means the same as a pattern."""
    return bool(_PLAIN.fullmatch(str(path)))


def _homes() -> Iterator[Path]:
    """Where links may lie, the best place first; the system's may be lost when it starts anew."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    system = shared_temporary() / f"graft-{os.geteuid()}"
    for home in (Path(caches, "graft"), system):
        if home.is_absolute() and is_plain(home):
            yield home / "links"


def _link(home: Path, name: str, target: Path) -> Path:
    for place in (home.parent, home):
        place.mkdir(parents=True, mode=0o700, exist_ok=True)
        # In a folder that all may write to, somebody else could have made it first.
        status = place.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise PermissionError
    link = home / name
    if not link.is_symlink() or link.readlink() != target:
        fresh = home / f"{name}.{uuid.uuid4().hex}"
        fresh.symlink_to(target)
        fresh.replace(link)
    return link
