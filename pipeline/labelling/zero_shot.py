"""`graft label --zero-shot`: a folder of images, sorted by the names of the classes alone."""

import csv
import io
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from components.example_gen.ingest_settings import IngestSettings
from models.errors import BadDataError, UsageError
from models.zero_shot.class_names import parse_class
from models.zero_shot.find_wordnet import find_wordnet
from models.zero_shot.meanings import ImageNet, Meaning, told_apart
from models.zero_shot.wordnet import WordNet
from pipeline.answers import name_in_utf8
from pipeline.image_files import ImageFile, find, read
from pipeline.labelling.sorted_image import SortedImage
from pipeline.labelling.sorting_page import write_page
from pipeline.output_file import write_output
from pipeline.report.small_picture import small_picture
from pipeline.terminal.quiet import import_tensorflow

_BATCH: Final = 128
_MOST_PICTURES: Final = 3000
_SIDE: Final = 160


@dataclass(frozen=True)
class Sorting:
    """What is asked for.

    Attributes:
        folder: of the images, walked at any depth.
        classes: what the user says of each.
        least: confidence that an image needs to get a label, 0..1.
        backbone: EfficientNetLite0, 1 or 2.
        wordnet: folder of its database; None to find it.
    """

    folder: Path
    classes: Sequence[str]
    least: float
    backbone: str
    wordnet: Path | None


def sort_images(asked: Sorting, manifest: Path) -> int:
    """Writes the manifest and the page, and says what each class was taken for.

    Args:
        asked: what is to be sorted, and how.
        manifest: CSV file to write; the page is beside it.

    Returns:
        The exit code: 0, or that of bad data where an image could not be read.

    Raises:
        UsageError: the folder or WordNet is missing, no class is understood, or a file is there
            already.
        BadDataError: the folder holds no image.
        GraftError: a file cannot be written.
    """
    page = manifest.with_suffix(".html")
    _check(asked, manifest, page)
    meanings, imagenet = _understood(asked)
    for each in meanings:
        print(f"  {each.name}: {each.words}")
    known = [each for each in meanings if each.is_known]
    if not known:
        raise UsageError(
            "None of the classes means anything that ImageNet knows, so nothing can be sorted by "
            "name. Say what they are in other words (NAME=WORD), or label a few images of each."
        )
    images, failed = _sorted(asked, known, imagenet)
    if not images:
        raise BadDataError(f"{asked.folder} holds no image that can be read.")
    write_output(manifest, _manifest(images))
    names = [each.name for each in meanings]
    write_output(page, write_page(asked.folder, meanings, images, names, manifest.name))
    _report(images, failed, manifest, page)
    return BadDataError.exit_code if failed else 0


def _check(asked: Sorting, *files: Path) -> None:
    if not os.path.isdir(asked.folder):  # noqa: PTH112 - does not raise
        raise UsageError(f"{asked.folder} is no folder; expected one with images to sort.")
    for file in files:
        if file.exists():
            raise UsageError(
                f"{file} is there already, perhaps with corrections: name another with --output."
            )
    if files[0] == files[1]:
        raise UsageError(f"--output is the manifest, a .csv file; got {files[0]}.")


def _understood(asked: Sorting) -> tuple[list[Meaning], ImageNet]:
    classes = [parse_class(text) for text in asked.classes]
    names = [each.name for each in classes]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(f"Expected at least two classes, each once; got {', '.join(names)}.")
    imagenet = ImageNet(WordNet(find_wordnet(asked.wordnet)))
    return told_apart([imagenet.meaning(each) for each in classes]), imagenet


def _sorted(
    asked: Sorting, known: Sequence[Meaning], imagenet: ImageNet
) -> tuple[list[SortedImage], int]:
    """All images, and how many files could not be read; each of those is named at once."""
    import_tensorflow()
    from pipeline.labelling.classifier import Classifier

    classifier = Classifier(asked.backbone, known)
    images: list[SortedImage] = []
    failed = 0
    reading = _files(asked.folder)
    while batch := list(islice(reading, _BATCH)):
        readable = [file for file in batch if not file.error]
        for file in batch:
            if file.error:
                print(f"graft: {name_in_utf8(file.path)} {file.error}", file=sys.stderr)
        failed += len(batch) - len(readable)
        answers = classifier.answer([file.encoded for file in readable])
        for file, answer in zip(readable, answers, strict=True):
            has_picture = len(images) < _MOST_PICTURES
            images.append(
                SortedImage(
                    path=file.path.absolute(),
                    label=answer.label,
                    confidence=answer.confidence,
                    seen=imagenet.names[answer.imagenet],
                    is_labelled=answer.confidence >= asked.least,
                    picture=small_picture(file.encoded, _SIDE) if has_picture else "",
                )
            )
    return images, failed


def _files(folder: Path) -> Iterator[ImageFile]:
    for found in find([folder]):
        if found.is_passed_over:
            continue
        if found.error:
            yield ImageFile(found.path, error=found.error)
        elif not _is_text(found.path):
            yield ImageFile(found.path, error="has a name that is no UTF-8: no manifest can say it")
        else:
            yield read(found.path, IngestSettings().max_pixels)


def _is_text(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _manifest(images: Sequence[SortedImage]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("path", "label", "confidence"))
    writer.writerows(
        (each.path, each.label, f"{each.confidence:.3f}") for each in images if each.is_labelled
    )
    return text.getvalue().encode()


def _report(images: Sequence[SortedImage], failed: int, manifest: Path, page: Path) -> None:
    counts = Counter(each.label for each in images if each.is_labelled)
    sizes = ", ".join(f"{label} {images:,}" for label, images in counts.most_common())
    print(
        f"{counts.total():,} of {len(images):,} images got a label{f': {sizes}' if sizes else ''}."
        + (f" Not read: {failed:,} file{'s' if failed > 1 else ''}." if failed else "")
    )
    print(
        f"Look at them, and correct them, on {page}: it gives the corrected manifest. Nothing was "
        f"checked yet in {manifest}; then: graft run --data FILE"
    )
