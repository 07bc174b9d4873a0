"""Something that is to be deleted."""

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Removal:
    """Files and folders that go together.

    Attributes:
        kind: of what, in the plural.
        paths: files and folders, which may lie no more.
        size: bytes.
    """

    kind: str
    paths: tuple[Path, ...]
    size: int

    @classmethod
    def of(cls, kind: str, *paths: Path) -> "Removal":
        """Measures what lies at the paths."""
        return cls(kind, paths, sum(map(size_of, paths)))

    def delete(self) -> None:
        """Deletes what is there.

        Raises:
            OSError: something cannot be deleted.
        """
        for path in self.paths:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; links are not followed."""
    if not path.is_dir() or path.is_symlink():
        return path.lstat().st_size if path.exists() else 0
    return sum(each.lstat().st_size for each in path.rglob("*") if not each.is_dir())
