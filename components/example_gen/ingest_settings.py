"""Where images come from and how they are split: the section `data`."""

import codecs
import re
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from components.example_gen.sources.span_window import SpanWindow
from models.settings import Section

_ESCAPES: Final = (
    "idna",
    "punycode",
    "unicode-escape",
    "unicode_escape",
    "raw-unicode-escape",
    "raw_unicode_escape",
)
"""Encodings of text that are no alphabet of a file."""
_OUTPUT: Final = re.compile(r"[a-z0-9_][a-z0-9_-]{0,49}")
_NARROWEST: Final = 1e-30
_WIDEST: Final = 1e30
"""What `data.sample_range` may span: pixels are computed with 32 bits."""
_TAKEN: Final = ("path", "label", "split")
"""Columns of a manifest that have a meaning of their own."""


class ManifestColumns(Section):
    """What the columns of a manifest are called that say what Graft needs to know."""

    path: str = "path"
    """Of the image."""
    label: str = "label"
    """Its class."""
    split: str = "split"
    """train, validation or test; the column may be missing."""

    @field_validator("path", "label", "split")
    @classmethod
    def _as_compared(cls, value: str) -> str:
        name = value.strip().lower()
        if not name:
            raise ValueError("the name of a column")
        return name

    @model_validator(mode="after")
    def _each_another(self) -> Self:
        if len(self.meanings) < len(ManifestColumns.model_fields):
            raise ValueError("three different columns for path, label and split")
        return self

    @property
    def meanings(self) -> dict[str, str]:
        """Which of path, label and split each of the columns says."""
        return {getattr(self, meaning): meaning for meaning in ("path", "label", "split")}


class IngestSettings(Section):
    """Where the images come from and how they are split."""

    path: str = ""
    """Folder with a folder per class (train/, validation/, test/ above them where the data has a
    split of its own), a .csv or .jsonl manifest (path, label, optional split), or .tfrecord
    files; or their URI in a bucket, such as s3://bucket/photos. May hold {SPAN} or {DATE}, and
    {VERSION}: `spans` says which are taken, of each its newest version."""
    spans: str = "newest"
    """Which spans of a path with {SPAN} or {DATE} are trained on, as one data set: newest, all,
    "last 7" (of those there are), "last 7 until 2026-11-28", or a range such as 3..9,
    2026-11-01..2026-11-07 or 2026-11-01.. (with no end)."""
    unlabelled: str = ""
    """Folder of further images of the same kind without labels, at any depth; with few labelled
    images a class the head learns from them too, and where the backbone is fine-tuned a second
    fine-tuning, if that promises more. Empty: none."""
    further_labels: tuple[str, ...] = ()
    """Further columns of the manifest, or features of the TFRecords, that hold labels too, such as
    [material, condition]: each gets a head on the model's backbone, a verdict and an output of its
    own. An image with an empty cell there neither teaches nor tests that column."""
    target: str = ""
    """Folder of images without labels, at any depth, of another domain on which the model is to be
    used: another camera, scanner or light. The head also learns from copies of the labelled images
    that look like these, if copies of validation images speak for that. Empty: none."""
    validation_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.15
    """Share of each class set aside for choosing, where the data has no split of its own."""
    test_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.15
    """Share of each class set aside for the final figure."""
    keep_test: bool = True
    """An image that the last blessed model was tested on stays a test image when the split changes;
    where the split is the data's own and says otherwise, it is left out. Else the next model would
    have learned what it is compared on."""
    replay: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """So many images of each class that the last blessed model was made from join the data where it
    has them no longer, each in the split that it was in: with a span of new classes alone, a model
    would forget the others. It takes `keep_test`. 0: none."""
    max_pixels: Annotated[int, Field(ge=1, le=10_000_000_000)] = 100_000_000
    """Images with more pixels are quarantined (decompression bombs)."""
    encoding: str = ""
    """Of a manifest, by Python's name of it, such as cp1252. Empty: UTF-8, or UTF-16 where the file
    begins with its byte order mark; anything else is refused."""
    columns: ManifestColumns = ManifestColumns()
    images: str = ""
    """Folder that the paths of a manifest are relative to. A path of another machine
    (/home/ann/photos/1.jpg, C:\\photos\\1.jpg, gs://bucket/photos/1.jpg) is looked for there too,
    by its last folders and its name. Empty: the folder of the manifest, without such a look."""
    ignore: tuple[str, ...] = ()
    """Patterns of paths relative to the data that are passed over, such as [masks/*, "*_mask.png"];
    * stands for anything, slashes too."""
    layout: Literal["auto", "class_per_folder", "class_per_inner_folder"] = "auto"
    """How folders are read. auto finds split folders, class folders and folders around them, and
    asks where more than one reading fits. class_per_folder: each top folder is a class, whatever
    its name. class_per_inner_folder: the folder that an image lies in is its class."""
    class_pattern: str = ""
    """Regular expression over the path in a folder, whose first bracket (or whole match) is the
    class, where names of files say it and no folders: "([^/]+)_\\d+\\.\\w+$" for images/pug_12.jpg.
    Then folders are no classes, but train/, validation/ and test/ are still the split. Empty:
    none."""
    follow_links: bool = False
    """Follow links that lead out of the data folder. Without it they are refused."""
    group: str = ""
    """Photos of one object, patient or place are a group, which lies on one side of the split as a
    whole. Either a column of the manifest, or a regular expression over the path whose first
    bracket (or whole match) names the group, such as "(patient\\d+)_". Empty: none."""
    sample_range: tuple[float, float] | None = None
    """Samples that are black and white in images of more than 8 bits a channel (16-bit PNG and
    TIFF, 32-bit, floats), such as [0, 4095] for a camera of 12 bits. Empty: the range that all the
    data's samples use, rounded to a power of two."""

    @field_validator("spans")
    @classmethod
    def _window(cls, value: str) -> str:
        SpanWindow.parse(value)
        return value

    @field_validator("further_labels")
    @classmethod
    def _names_of_outputs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.strip().lower() for name in value)
        unfit = [name for name in names if not _OUTPUT.fullmatch(name) or name in _TAKEN]
        if unfit or len(set(names)) < len(names):
            raise ValueError(
                "columns of the manifest beside path, label and split, each once, with names of 1 "
                "to 50 letters a to z, digits, '_' and '-', as they become names of outputs"
            )
        return names

    @field_validator("encoding")
    @classmethod
    def _of_text(cls, value: str) -> str:
        sample = "path,label\n"
        try:
            known = not value or (
                codecs.lookup(value).name not in _ESCAPES
                and sample.encode(value).decode(value) == sample
            )
        except (LookupError, ValueError):
            known = False
        if not known:
            raise ValueError("an encoding of text by Python's name of it, such as cp1252 or utf-16")
        return value

    @field_validator("group")
    @classmethod
    def _column_or_pattern(cls, value: str) -> str:
        if problem := _what_is_wrong(value):
            raise ValueError(
                'a column of the manifest or a regular expression, such as "(patient\\d+)_"'
                f" (this one is neither: {problem})"
            )
        return value

    @field_validator("class_pattern")
    @classmethod
    def _pattern(cls, value: str) -> str:
        if problem := _what_is_wrong(value):
            raise ValueError(f'a regular expression, such as "([^/]+)_\\d+" ({problem})')
        return value

    @field_validator("sample_range")
    @classmethod
    def _from_black_to_white(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value and not _NARROWEST <= value[1] - value[0] <= _WIDEST:
            raise ValueError("two finite numbers, black and then white, black the smaller one")
        return value


def _what_is_wrong(pattern: str) -> str:
    """Why a text is no regular expression; empty where it is one."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error) or type(error).__name__
    return ""
