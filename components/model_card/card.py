"""Gathers a model card from artifacts alone.

What a card tells, and in which order, is from M. Mitchell et al., "Model Cards for Model
Reporting", FAT* 2019. Nothing in it depends on when or where it is made, nor on the run: one model
with the same words always has the same card.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components.artifact_names import (
    INGEST_FILE,
    METRICS_FILE,
    SERVING_FOLDER,
    TRAINING_FILE,
)
from components.findings import read_findings
from components.judge.checks import CHANCE
from components.judge.gaps import Gap
from components.judge.slices import by_feature
from components.model_card.card_settings import CardSettings
from models.backbone_record import chain_words
from models.export.assets import FOLDER, LICENCE_FILE
from models.storage.seals import DESCRIPTION
from models.training.kept_strategies import kept_strategies

Json = dict[str, Any]

_FEW: Final = 30
"""Test images of a class, below which its figures say little."""
_MOST_NAMED: Final = 10


@dataclass(frozen=True)
class Sources:
    """Directories of the artifacts that a card is made from.

    Attributes:
        model: Model.
        blessing: ModelBlessing.
        quarantine: Quarantine.
        findings: Findings.
    """

    model: Path
    blessing: Path
    quarantine: Path
    findings: Path


@dataclass(frozen=True)
class Card:
    """What the templates show.

    Attributes:
        name: of the model, as it is served.
        said: the user's own words.
        described: `graft.json` of the model.
        training: `training.json` of the model.
        strategies: of `training`, those that made what is exported.
        licence: of the weights that it was trained from, in words.
        chain: trainings that its backbone went through before, in words; empty for none.
        ingest: `ingest.json` of the data.
        quality: figures on the test split, as `models.metrics.Quality`.
        probe_accuracy: of the head on the frozen backbone; None where there is none.
        probe_accuracy_interval: its 95 % interval.
        classes: figures of each class, lowest recall first.
        slices: rows by the feature that they are slices over.
        further: figures of each further label column, as
            `components.judge.further_columns.ColumnResult`.
        limits: what the figures show, a sentence each.
    """

    name: str
    said: CardSettings
    described: Json
    training: Json
    strategies: list[Json]
    licence: str
    chain: str
    ingest: Json
    quality: Json
    probe_accuracy: float | None
    probe_accuracy_interval: list[float] | None
    classes: list[Json]
    slices: list[tuple[str, list[Json]]]
    further: list[Json]
    limits: list[str]

    @property
    def backbone_words(self) -> str:
        """What was done to the backbone."""
        if self.described["exported"] == "fine_tuned":
            return "fine-tuned"
        if self.described.get("network", {}).get("exported") == "fine_tuned":
            return "fine-tuned in an earlier run on most of these images, with a head of its own"
        return "frozen, with a head of its own"


def gather(name: str, said: CardSettings, sources: Sources) -> Card:
    """Reads what the card tells.

    Args:
        name: of the model, as it is served.
        said: the user's own words.
        sources: of a blessed model.

    Raises:
        OSError: a file is missing.
        ValueError: a file is damaged.
    """
    serving = sources.model / SERVING_FOLDER
    metrics = _read(sources.blessing / METRICS_FILE)
    ingest = _read(sources.quarantine / INGEST_FILE)
    quality: Json = metrics["quality"]
    slices = by_feature(metrics["slices"])
    described = _read(serving / DESCRIPTION)
    training = _read(sources.model / TRAINING_FILE)
    warnings = [each.found for each in read_findings(str(sources.findings))]
    return Card(
        name=name,
        said=said,
        described=described,
        training=training,
        strategies=kept_strategies(training),
        chain=chain_words(described.get("chain", [])),
        licence=(serving / FOLDER / LICENCE_FILE).read_text("utf-8"),
        ingest=ingest,
        quality=quality,
        probe_accuracy=metrics["probe_accuracy"],
        probe_accuracy_interval=metrics["probe_accuracy_interval"],
        classes=sorted(
            quality["classes"],
            key=lambda each: (each["recall"] is None, each["recall"], each["label"]),
        ),
        slices=slices,
        further=metrics["further_labels"],
        limits=[
            *_of_classes(quality),
            *_of_frequent(metrics["frequent"]["aside"]),
            *_of_slices(slices, quality),
            *_of_gaps(metrics["gaps"]),
            *_of_shortcuts(metrics["shortcuts"]),
            *warnings,
        ],
    )


def _of_classes(quality: Json) -> list[str]:
    """What every such model lacks, and which classes were hardly tested or never answered."""
    found = [
        f"It answers with one of its {len(quality['classes'])} classes whatever an image shows: "
        "none of them says that an image belongs to none.",
        "The figures hold for images from the same source as the test split. Of others, only a "
        "test on them tells.",
    ]
    few = [each["label"] for each in quality["classes"] if each["images"] < _FEW]
    if few:
        which = "every class" if len(few) == len(quality["classes"]) else _named(few)
        found.append(
            f"Tested on fewer than {_FEW} images each, so that their figures say little: {which}."
        )
    never = [each["label"] for each in quality["classes"] if each["precision"] is None]
    if never:
        found.append(f"It took no test image for one of these classes: {_named(never)}.")
    return found


def _of_frequent(aside: str) -> list[str]:
    """Where always saying the most frequent class might do as well."""
    return [f"Its accuracy is {aside.removeprefix(', ')}."] if aside else []


def _of_slices(slices: list[tuple[str, list[Json]]], quality: Json) -> list[str]:
    """Slices that are worse than all images together, by intervals that do not touch."""
    least = quality["accuracy_interval"][0]
    worse = [
        f"{feature} {row['value']} ({row['accuracy']:.3f} on {row['images']} images)"
        for feature, rows in slices
        for row in rows
        if row["accuracy_interval"] and row["accuracy_interval"][1] < least
    ]
    if not worse:
        return []
    return [f"It is right less often than on all images where there is: {_named(worse)}."]


def _of_gaps(gaps: list[Json]) -> list[str]:
    """Values of the user's columns that are answered worse than chance explains."""
    behind = [Gap(**row).words for row in gaps if row["gap"] > 0 and row["chance"] < CHANCE]
    return [f"It is less right where {words}." for words in behind[:_MOST_NAMED]]


def _of_shortcuts(shortcuts: list[Json]) -> list[str]:
    return [
        f"It tells {row['label']} by a fixed part of the picture, {row['region']}, more than by "
        "what the images have in common: that may be a mark, or how they were taken."
        for row in shortcuts[:_MOST_NAMED]
    ]


def _named(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _read(path: Path) -> Json:
    content: Json = json.loads(path.read_text("utf-8"))
    return content
