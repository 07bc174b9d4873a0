"""The report's section on the data."""

from collections import Counter
from dataclasses import dataclass

from models.data import example_schema
from models.number_text import short_number
from pipeline.report import pictures
from pipeline.report.account import DataAccount, data_account, fate_of, workers_words
from pipeline.report.artifacts import Artifacts, Json
from pipeline.report.data_statistics import SplitStatistics
from pipeline.report.doubtful_view import DoubtfulView, doubtful_view

_MOST_CLASSES = 40
_MOST_REFUSED = 40
_TITLES = {
    "refused": "Refused files",
    "passed_over": "Passed over",
    "unknown": "Unknown, in damaged files or closed folders",
}
_OF_THESE = ", of the images without labels"
_OF_TARGET = ", of the images of the target"
_UNITS = {
    example_schema.WIDTH: ("Width", "px"),
    example_schema.HEIGHT: ("Height", "px"),
    example_schema.BYTE_SIZE: ("File size", "kB"),
    example_schema.BRIGHTNESS_MEAN: ("Brightness", "0–1"),
    example_schema.BRIGHTNESS_STD: ("Contrast", "0–0.5"),
    example_schema.SHARPNESS: ("Sharpness", ""),
}


@dataclass(frozen=True)
class ClassRow:
    """Images of one class.

    Attributes:
        label: name.
        counts: images in each split, in the order of `DataView.splits`.
        images: in all splits.
        share: of the largest class, 0..1.
        samples: pictures from training.
    """

    label: str
    counts: list[int]
    images: int
    share: float
    samples: list[pictures.Picture]


@dataclass(frozen=True)
class SpreadRow:
    """Spread of a derived feature over the training split, as text."""

    name: str
    unit: str
    least: str
    median: str
    mean: str
    most: str


@dataclass(frozen=True)
class LeftOutGroup:
    """All things that have one fate.

    Attributes:
        title: in words.
        count: of all such things.
        codes: reason's code to number, the commonest first.
        rows: the first of them, with `name` and `reason`; at most 40.
    """

    title: str
    count: int
    codes: dict[str, int]
    rows: list[Json]


@dataclass(frozen=True)
class DataView:
    """What the section shows.

    Attributes:
        account: what became of everything that was offered.
        unlabelled: what became of the images without labels, in words; empty where there are none.
        target: what became of the images of another domain, in words; empty where there are none.
        workers: which Beam workers took how many images; empty where the run's own process did.
        embedded_by: the same of their embedding.
        identical: images with the bytes of another; 0 where nothing was embedded.
        classes: number of classes.
        splits: names and numbers of images.
        rows: classes, largest first; at most 40.
        spreads: of the training split.
        formats: file format to number of images, in all splits.
        left_out: what was not used, by what became of it.
        findings: of validation, gravest first.
        doubtful: the most doubtful labels; None where nobody looked.
    """

    account: DataAccount
    unlabelled: str
    target: str
    workers: str
    embedded_by: str
    identical: int
    classes: int
    splits: dict[str, int]
    rows: list[ClassRow]
    spreads: list[SpreadRow]
    formats: dict[str, int]
    left_out: list[LeftOutGroup]
    findings: list[Json]
    doubtful: DoubtfulView | None


def data_view(found: Artifacts, examples_uri: str | None) -> DataView | None:
    """Builds the section; None when ingest left nothing.

    Args:
        found: what the components left.
        examples_uri: directory of the Examples artifact, for the samples; None without.
    """
    account = data_account(found.ingest, found.quarantine)
    if account is None:
        return None
    unlabelled = data_account(found.unlabelled, found.unlabelled_left_out)
    target = data_account(found.target, found.target_left_out)
    classes: dict[str, int] = found.ingest.get("classes", {})
    by_size = sorted(classes, key=lambda label: (-classes[label], label))
    chosen = _ends(by_size)
    shown = pictures.samples(examples_uri, chosen) if examples_uri else {}
    splits = found.ingest.get("splits", {})
    largest = max(classes.values(), default=1)
    order = {"error": 0, "warning": 1}
    return DataView(
        account=account,
        unlabelled=unlabelled.words if unlabelled else "",
        target=target.words if target else "",
        workers=workers_words(found.ingest.get("workers")),
        embedded_by=workers_words(found.embedded_by),
        identical=int(found.embeddings.get("identical", 0)),
        classes=len(classes),
        splits=splits,
        rows=[
            ClassRow(
                label=label,
                counts=_counts(label, splits, found.statistics),
                images=classes[label],
                share=classes[label] / largest,
                samples=shown.get(label, []),
            )
            for label in chosen
        ],
        spreads=_spreads(found.statistics.get(example_schema.TRAIN)),
        formats=_formats(found.statistics),
        left_out=[
            *_left_out(account, found.quarantine),
            *(_left_out(unlabelled, found.unlabelled_left_out, _OF_THESE) if unlabelled else ()),
            *(_left_out(target, found.target_left_out, _OF_TARGET) if target else ()),
        ],
        findings=sorted(found.findings, key=lambda each: order.get(each.get("severity", ""), 2)),
        doubtful=doubtful_view(found.label_errors, examples_uri),
    )


def _left_out(account: DataAccount, rows: list[Json], of: str = "") -> list[LeftOutGroup]:
    return [
        LeftOutGroup(
            title=_TITLES[fate] + of,
            count=account.count(fate),
            codes=codes,
            rows=[row for row in rows if fate_of(row) == fate][:_MOST_REFUSED],
        )
        for fate, codes in account.left_out.items()
    ]


def _ends(by_size: list[str]) -> list[str]:
    """Takes the largest and the smallest classes where there are too many to show."""
    if len(by_size) <= _MOST_CLASSES:
        return by_size
    half = _MOST_CLASSES // 2
    return by_size[:half] + by_size[-half:]


def _counts(
    label: str, splits: dict[str, int], statistics: dict[str, SplitStatistics]
) -> list[int]:
    return [
        statistics[split].classes.get(label, 0) if split in statistics else 0 for split in splits
    ]


def _formats(statistics: dict[str, SplitStatistics]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for split in statistics.values():
        total.update(split.formats)
    return dict(total.most_common())


def _spreads(statistics: SplitStatistics | None) -> list[SpreadRow]:
    rows = []
    for feature, (name, unit) in _UNITS.items():
        spread = statistics.spreads.get(feature) if statistics else None
        if spread is not None:
            scale = 1000 if feature == example_schema.BYTE_SIZE else 1
            values = (spread.least, spread.median, spread.mean, spread.most)
            rows.append(SpreadRow(name, unit, *(short_number(value / scale) for value in values)))
    return rows
