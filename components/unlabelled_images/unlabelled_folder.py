"""What lies in a folder of images without labels, and a digest of it for TFX's cache."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.example_gen.digests import DigestCache, fingerprint
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import LabelledImage, LeftOut, Listing, SourceFile
from components.example_gen.sources.file_kinds import inspect
from components.example_gen.sources.refusals import RefusedSourceError, describe_all
from components.example_gen.sources.tree import File, Folder, is_image, sidecar, walk
from models.data.example_schema import UNLABELLED
from models.errors import BadDataError


@dataclass(frozen=True)
class UnlabelledFolder:
    """A folder, digested.

    Attributes:
        images: what can be read; at least one.
        left_out: what is not used.
        fingerprint: of names and contents.
    """

    images: tuple[LabelledImage, ...]
    left_out: tuple[LeftOut, ...]
    fingerprint: str


def read_folder(
    path: str,
    settings: IngestSettings,
    cache_dir: str,
    key: str = "data.unlabelled",
    least: int = 1,
) -> UnlabelledFolder:
    """Lists and digests all images below a folder, whatever their folders are called.

    Args:
        path: of the folder.
        settings: what is passed over, and whether links may lead out.
        cache_dir: where digests are remembered from run to run.
        key: of the configuration that names the folder, for messages.
        least: images that can be used, or it is refused.

    Raises:
        BadDataError: it is no folder, cannot be read, or holds too few images that can be used.
        OSError: the memory of digests cannot be written.
    """
    root = str(Path(path).expanduser().absolute())
    if not Path(root).is_dir():
        raise BadDataError(f"{key}: {root} is no folder. Expected a folder of images.")
    files: list[SourceFile] = []
    left_out: list[LeftOut] = []
    for one in walk(Folder(root, "", root, settings)):
        outcome = _outcome(one)
        if isinstance(outcome, SourceFile):
            files.append(outcome)
        else:
            left_out.append(outcome)
    files.sort(key=lambda file: file.name)
    listing = Listing("folder", root, tuple(files), tuple(left_out))
    digests = DigestCache(cache_dir, root).digests(files)
    left_out += [each for each in digests if isinstance(each, LeftOut)]
    images = tuple(
        LabelledImage(file.path, file.name, "", UNLABELLED, digest, file.stamp, size=file.stamp[0])
        for file, digest in zip(files, digests, strict=True)
        if isinstance(digest, str)
    )
    require_enough(images, left_out, least, root, key)
    return UnlabelledFolder(images, tuple(left_out), fingerprint(listing, digests))


def require_enough(
    images: Sequence[LabelledImage], left_out: Sequence[LeftOut], least: int, root: str, key: str
) -> None:
    """Refuses a folder with too few images.

    Args:
        images: that can be used.
        left_out: everything else.
        least: images that are expected.
        root: the folder, for the message.
        key: of the configuration that names it.

    Raises:
        RefusedSourceError: there are fewer.
    """
    if len(images) >= least:
        return
    count = f"{len(images)} images" if images else "no image"
    expected = f" Expected at least {least}." if least > 1 else ""
    raise RefusedSourceError(
        f"{key}: {root} holds {count} that can be used.{expected} {describe_all(left_out)}",
        left_out,
        [image.name for image in images],
        key,
    )


def _outcome(one: File | LeftOut) -> SourceFile | LeftOut:
    if isinstance(one, LeftOut):
        return one
    if not is_image(one):
        return sidecar(one.name)
    stamp = inspect(one.entry, one.name)
    if isinstance(stamp, LeftOut):
        return stamp
    return SourceFile(one.entry.path, one.name, "", None, stamp)
