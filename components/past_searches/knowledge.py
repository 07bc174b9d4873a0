"""What a search may learn from beside the runs of its workspace, as part of its cache key."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from components.artifact_names import HISTORY_FILE
from models.history import shipped
from models.history.collection import collect
from models.history.contribution import LeftOut
from models.history.records import SUBJECT


class KnowledgeFile(BaseModel):
    """One history in a folder or a bucket.

    Attributes:
        path: on this machine, or a URI.
        digest: SHA-256 of its content, so that a changed file makes a new search.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    digest: str


class Knowledge(BaseModel):
    """What the folders and buckets hold, and what comes with Graft.

    Attributes:
        files: that can be learned from.
        left_out: that cannot.
        starter: version of the histories that come with Graft; empty where they are not wanted.
    """

    model_config = ConfigDict(frozen=True)

    files: tuple[KnowledgeFile, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    starter: str = ""

    def to_json(self) -> str:
        """As Tuner takes it."""
        return self.model_dump_json()


def find_knowledge(places: Sequence[str], artifacts: Path, *, starter: bool = False) -> Knowledge:
    """Looks into folders and buckets.

    A search that was made again is not told of, so that it is no news to any other.

    Args:
        places: files, folders and buckets; see `models.history.collection.collect`.
        artifacts: of this pipeline. Its own histories are left out where they were shared to one
            of the places: `components.past_searches.past_searches_resolver` finds them.
        starter: whether what comes with Graft may be learned from too. Copies of it in one of the
            places then do not count; otherwise they are histories like any other.
    """
    own = _digests(artifacts.glob(f"*/history/*/{HISTORY_FILE}"))
    ignored = {*own, *(shipped.starter_digests() if starter else ())}
    collection = collect([("", place) for place in places], ignore=ignored)
    files = [
        KnowledgeFile(path=each.path, digest=each.digest)
        for each in collection.entries
        if each.subject == SUBJECT
    ]
    # In an order that does not change with that of the places: it is part of the cache key.
    return Knowledge(
        files=tuple(sorted(files, key=lambda file: file.path)),
        left_out=collection.skipped,
        starter=shipped.starter_version() if starter else "",
    )


def _digests(files: Iterable[Path]) -> Iterable[str]:
    return (hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
