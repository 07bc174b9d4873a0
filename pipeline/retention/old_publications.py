"""Which versions in object storage are kept."""

from dataclasses import dataclass
from typing import ClassVar

from components.publisher.publish import published_bytes, published_versions, withdraw
from pipeline.config import Config
from pipeline.retention.retention_settings import RetentionSettings


@dataclass(frozen=True)
class PublishedVersion:
    """A version in object storage that is to be deleted.

    Attributes:
        target: URI of the folder of versions.
        number: of the version.
        size: bytes.
    """

    kind: ClassVar = "published versions"

    target: str
    number: int
    size: int

    def delete(self) -> None:
        """Deletes it.

        Raises:
            PlaceError: it cannot be deleted.
        """
        withdraw(self.target, self.number)


def old_publications(
    config: Config, keep: RetentionSettings, versions: set[int]
) -> list[PublishedVersion]:
    """The published versions that go: all but so many of the newest, and but what is kept here.

    Args:
        config: names the bucket.
        keep: what to keep; nothing goes without a number of versions.
        versions: numbers of the pushed versions that stay.

    Raises:
        PlaceError: the bucket cannot be listed.
    """
    target = config.serving.publish
    if not target or keep.versions is None:
        return []
    return [
        PublishedVersion(target, each, published_bytes(target, each))
        for each in published_versions(target)[: -keep.versions]
        if each not in versions
    ]
