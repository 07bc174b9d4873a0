"""Files in object storage, through fsspec: `s3://`, `gs://`, and what else it has a package for.

A put makes an object whole or not at all, and no object is renamed: what has to appear in one step
is one object. Every error of every library becomes a `PlaceError` that says what to do.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from models.storage.place_error import PlaceError

_EXTRAS: Final = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}
"""Scheme to the extra of Graft that has its package."""

_PATIENCE: Final = {"connect_timeout": 10, "read_timeout": 30, "retries": {"max_attempts": 0}}
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "s3": {"config_kwargs": _PATIENCE},
    "gs": {"requests_timeout": 30},
}
"""By extra. Untold, these libraries wait for minutes."""

_TRIES: Final = 3
"""Of a request, by s3fs and gcsfs themselves."""

_HELP: Final = {
    "s3": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; for another store than "
    "Amazon's, AWS_ENDPOINT_URL too",
    "gs": "Set GOOGLE_APPLICATION_CREDENTIALS, or call `gcloud auth application-default login`",
}

_CHUNK: Final = 8 << 20
_AT_ONCE: Final = 32
"""Files that are downloaded at a time."""
_MARKS: Final = "ETag", "md5Hash", "generation", "etag", "LastModified", "mtime", "created"
"""What listings call that which another content has another of, the surest first."""


class StoredFile(NamedTuple):
    """What a listing says of a file.

    Attributes:
        size: in bytes.
        mark: another one where the content is another; the store's own tag, or a time.
    """

    size: int
    mark: str


class Bucket:
    """What lies at and below a URI."""

    def __init__(self, uri: str) -> None:
        """Connects when it is first asked.

        Args:
            uri: of a folder or a file.

        Raises:
            PlaceError: no package here knows the scheme.
        """
        self._uri = uri.rstrip("/")
        with self._told():
            self._store, root = _opened(uri)
        self._root = root.rstrip("/")

    def is_there(self) -> bool:
        """Whether there is a file or a folder that holds something.

        Raises:
            PlaceError: nobody can say.
        """
        return self._kind() is not None

    def is_folder(self) -> bool:
        """Whether it is a folder and not a file.

        Raises:
            PlaceError: there is nothing, or nobody can say.
        """
        kind = self._kind()
        if kind is None:
            raise PlaceError(f"{self._uri}: there is nothing, or no such bucket")
        return kind == "directory"

    def find(self, wanted: Callable[[str], bool], most: int) -> list[str]:
        """Files in the folder and in all folders in it; hidden ones are passed over.

        Args:
            wanted: whether a file of that name counts.
            most: one file more is enough.

        Returns:
            Names below the folder.

        Raises:
            PlaceError: they cannot be listed.
        """
        found = (path for path, _ in self._files_below(self._root))
        kept = (path for path in found if wanted(path.rpartition("/")[2]))
        return [self._below(path) for path in islice(kept, most + 1)]

    def files(self, name: str = "") -> Iterator[tuple[str, StoredFile]]:
        """A file, or those in a folder and in all folders in it; hidden ones are passed over.

        Args:
            name: of the file or folder in this one; empty for this one.

        Yields:
            The name below this folder, and what the listing says.

        Raises:
            PlaceError: there is nothing, or it cannot be listed.
        """
        with self._told(name):
            info = self._store.info(self._at(name))
        if info["type"] != "directory":
            yield name, _stored(info)
            return
        for path, info in self._files_below(self._at(name)):
            yield self._below(path), _stored(info)

    def children(self) -> list[str]:
        """Names of the files and folders in the folder; none where there is no folder.

        Raises:
            PlaceError: they cannot be listed.
        """
        return [self._below(path) for path in self._listed(self._root)]

    def sizes(self, name: str) -> dict[str, int]:
        """Bytes of each file below a folder in this one, by its name there.

        Raises:
            PlaceError: they cannot be listed.
        """
        folder = self._at(name)
        with self._told(name):
            found = self._store.find(folder, detail=True)
        return {path[len(folder) + 1 :]: each["size"] for path, each in found.items()}

    def read(self, most_bytes: int, name: str = "") -> bytes:
        """The content of a file, or one byte more than `most_bytes` of it.

        Raises:
            PlaceError: it is no file, or cannot be read.
        """
        with self._told(name), self._store.open(self._at(name), "rb") as file:
            content = bytes(file.read(most_bytes + 1))
        if not content and not name and self.is_folder():
            # Some file systems open a folder as an empty file.
            raise PlaceError(f"{self._uri}: is a folder, not a file")
        return content

    def write(self, content: bytes) -> None:
        """Writes the file in one step.

        Raises:
            PlaceError: it cannot be written.
        """
        with self._told():
            self._store.pipe_file(self._root, content)

    def upload(self, file: Path, name: str) -> None:
        """Copies a file of this machine into the folder; it is there whole or not at all.

        Raises:
            PlaceError: it cannot be read or written.
        """
        with self._told(name):
            self._store.put_file(str(file), self._at(name))

    def download(self, files: Mapping[str, Path]) -> None:
        """Copies files of the folder to this machine, several at a time.

        Args:
            files: where each goes, by its name in the folder.

        Raises:
            PlaceError: one cannot be read or written; others may be there.
        """
        places = [self._at(name) for name in files]
        with self._told():
            self._store.get(places, [str(file) for file in files.values()], batch_size=_AT_ONCE)

    def digest(self, name: str) -> str:
        """SHA-256 of a file in the folder, read back, hex.

        Raises:
            PlaceError: it cannot be read.
        """
        digest = hashlib.sha256()
        with self._told(name), self._store.open(self._at(name), "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def copy(self, name: str, other: str) -> None:
        """Copies a file of the folder to another name; s3 and gs do so without sending it.

        Raises:
            PlaceError: it cannot be copied.
        """
        with self._told(other):
            self._store.cp_file(self._at(name), self._at(other))

    def delete(self, *names: str) -> None:
        """Deletes files in the folder, in that order.

        Raises:
            PlaceError: one cannot be deleted.
        """
        for name in names:
            with self._told(name):
                self._store.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def _below(self, path: str) -> str:
        return path[len(self._root) + 1 :]

    def _kind(self) -> str | None:
        with self._told():
            try:
                return str(self._store.info(self._root)["type"])
            except FileNotFoundError:
                return None

    def _files_below(self, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Path of each file that is not hidden, and what the listing says; a folder at a time."""
        folders = [folder]
        while folders:
            listed = self._listed(folders.pop())
            for path, info in listed.items():
                if path.rpartition("/")[2].startswith("."):
                    continue
                if info["type"] == "directory":
                    folders.append(path)
                else:
                    yield path, info

    def _listed(self, folder: str) -> dict[str, dict[str, Any]]:
        """What lies in a folder, by its path; nothing where there is none."""
        with self._told(self._below(folder)):
            try:
                listed = self._store.ls(folder, detail=True)
            except FileNotFoundError:
                return {}
        # An empty object may stand for a folder, the one that is listed or one in it.
        listed.sort(key=lambda info: info["type"] == "directory")
        found = {info["name"].rstrip("/"): info for info in listed}
        found.pop(folder, None)
        return found

    @contextmanager
    def _told(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each file system has errors of its own
            place = f"{self._uri}/{name}" if name else self._uri
            raise PlaceError(f"{place}: {_words(error, place)}") from error


def _stored(info: Mapping[str, Any]) -> StoredFile:
    mark = next((info[key] for key in _MARKS if info.get(key)), "")
    return StoredFile(int(info["size"]), str(mark))


def unusable(uri: str) -> str:
    """Why a URI can be neither read nor written here, without asking the network.

    Returns:
        A sentence without its full stop; empty where a package knows the scheme.
    """
    try:
        _opened(uri)
    except Exception as error:  # noqa: BLE001 - as in `Bucket`
        return f"{uri}: {_words(error, uri)}"
    return ""


def _opened(uri: str) -> tuple[Any, str]:
    import fsspec

    # It tells of each try, to the terminal where nobody else listens.
    logging.getLogger("gcsfs").addHandler(logging.NullHandler())
    extra = _extra(uri)
    if extra and not uri.partition("://")[2].partition("/")[0]:
        raise PlaceError("expected the name of a bucket, such as s3://bucket/folder")
    options = _OPTIONS.get(extra, {})
    # What others write meanwhile is to be seen.
    store, path = fsspec.core.url_to_fs(uri, use_listings_cache=False, **options)
    if hasattr(store, "retries"):
        store.retries = _TRIES
    return store, path


def _extra(uri: str) -> str:
    return _EXTRAS.get(uri.partition("://")[0], "")


def _words(error: Exception, uri: str) -> str:
    kind, extra = type(error).__name__, _extra(uri)
    lines = str(error).strip().splitlines()
    said = lines[0][:300] if lines else kind
    if isinstance(error, PlaceError):
        return said
    if isinstance(error, ImportError):
        return f"its package is not installed. Call pip install 'graft[{extra}]'" if extra else said
    if isinstance(error, FileNotFoundError):
        return f"there is no such file or bucket ({said})"
    if "Credential" in kind or "Token" in kind or "Anonymous caller" in said:
        return f"no credentials ({said}). {_HELP.get(extra, '')}".strip()
    if isinstance(error, PermissionError):
        return f"these credentials do not allow it ({said})"
    if isinstance(error, ValueError) and "Protocol not known" in said:
        return f"expected s3:// or gs://; got the unknown scheme {uri.partition('://')[0]!r}"
    return f"{kind}: {said}"
