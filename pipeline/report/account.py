"""What is said of a run in the terminal, in `summary.json` and in the report alike."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.data import example_schema
from models.intervals import Interval, interval_of
from models.number_text import interval_text
from models.training.kept_strategies import kept_strategies
from pipeline.report.artifacts import Json

FATES = {"refused": "refused", "passed_over": "passed over", "unknown": "unknown"}
"""The fates of what was offered and is not used, each with its name for people."""
_SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class DataAccount:
    """What became of everything that was offered; the parts add up to it.

    Attributes:
        offered: images, rows, records and files.
        used: images in the three splits.
        left_out: fate to code to number, the commonest code first; without fates that none has.
        replayed: images of `used` that come from the last blessed model's data.
        renamed: of these, whose class has exchanged its name since.
    """

    offered: int
    used: int
    left_out: dict[str, dict[str, int]]
    replayed: int = 0
    renamed: int = 0

    @property
    def words(self) -> str:
        """One line, such as "162 offered: 150 used, 12 refused (8 truncated, 4 empty)"."""
        parts = [f"{self.used:,} used"]
        if self.replayed:
            names = f", {self.renamed:,} under the name that their class now has"
            parts[0] += f" ({self.replayed:,} by data.replay{names if self.renamed else ''})"
        for fate, codes in self.left_out.items():
            reasons = ", ".join(f"{count:,} {code}" for code, count in codes.items())
            parts.append(f"{self.count(fate):,} {FATES[fate]} ({reasons})")
        return f"{self.offered:,} offered: {', '.join(parts)}"

    def count(self, fate: str) -> int:
        """Number of things that have a fate."""
        return sum(self.left_out.get(fate, {}).values())


def data_account(ingest: Json, left_out: Sequence[Json]) -> DataAccount | None:
    """Adds up what ingest wrote; None where it wrote nothing.

    Args:
        ingest: `ingest.json`.
        left_out: rows of `quarantine.jsonl`.
    """
    if not ingest:
        return None
    codes: dict[str, Counter[str]] = {fate: Counter() for fate in FATES}
    for row in left_out:
        codes[fate_of(row)][str(row.get("code", ""))] += 1
    used = int(ingest.get("images", 0))
    return DataAccount(
        offered=int(ingest.get("offered", used + len(left_out))),
        used=used,
        left_out={fate: dict(each.most_common()) for fate, each in codes.items() if each},
        replayed=int(ingest.get("replayed", 0)),
        renamed=int(ingest.get("replayed_renamed", 0)),
    )


def workers_words(workers: Mapping[str, int] | None) -> str:
    """Says which Beam workers took how many images; empty where the run's own process took all.

    Args:
        workers: images by worker, as `ingest.json` or `embedded_by.json` has them.
    """
    if not workers:
        return ""
    told = ", ".join(f"{name}: {images:,}" for name, images in workers.items())
    return f"{len(workers)} Beam worker{'s' * (len(workers) > 1)} ({told} images)"


def fate_of(row: Json) -> str:
    """The fate of the thing that a row of `quarantine.jsonl` names."""
    fate = str(row.get("fate", "refused"))
    return fate if fate in FATES else "refused"


def severities(findings: Sequence[Json]) -> dict[str, int]:
    """Counts the findings of validation by their severity, the gravest first."""
    counts = Counter(str(each.get("severity", "")) for each in findings)
    return {severity: counts[severity] for severity in _SEVERITIES}


def findings_words(findings: Sequence[Json]) -> str:
    """Says how many findings there are, such as "1 error, 2 warnings"."""
    told = [
        f"{count:,} {severity}{'s' * (count > 1)}"
        for severity, count in severities(findings).items()
        if count
    ]
    return ", ".join(told) or "nothing amiss"


@dataclass(frozen=True)
class TrainingAccount:
    """Which model came out of a training.

    Attributes:
        strategy: that made the exported model: "fine_tune" or "feature_extraction".
        chosen: the strategy of the training; another one than `strategy` if its model was dropped.
        exported: "fine_tuned" or "head".
        reason: why that was exported, in words.
        start: what the training began from, "pretrained" or "champion".
        accuracy: of the exported model on the validation split.
        interval: the 95 % interval of that accuracy.
        strategies: names of those that made what is exported; none for the linear head, and for
            plain fine-tuning.
        refitted_images: training and validation images that what is exported learned from
            together, after the accuracy was found; 0 where it did not.
    """

    strategy: str
    chosen: str
    exported: str
    reason: str
    start: str
    accuracy: float | None
    interval: Interval | None
    strategies: tuple[str, ...] = ()
    refitted_images: int = 0

    @property
    def dropped(self) -> bool:
        """Whether a model was fine-tuned and not kept."""
        return self.strategy != self.chosen

    @property
    def words(self) -> str:
        """One line: the accuracy of the model that was kept, and which one that is."""
        accuracy = "" if self.accuracy is None else f"{self.accuracy:.3f}"
        figure = f"validation accuracy {accuracy} {interval_text(self.interval)}".rstrip()
        kept = "fine-tuned" if self.exported == "fine_tuned" else "the head alone"
        if self.strategies:
            kept += f" ({', '.join(self.strategies)})"
        if self.refitted_images:
            images = f"{self.refitted_images:,} training and validation images"
            kept += f", fitted after that to all {images}"
        kept += ", begun from the last blessed model" if self.start == "champion" else ""
        return f"{figure}, {kept}" + (f": {self.reason}" if self.dropped else "")


def training_account(training: Json, ingest: Json) -> TrainingAccount | None:
    """Says which model was kept; None where nothing was trained.

    Args:
        training: `training.json`.
        ingest: `ingest.json`, for the number of validation images.
    """
    if not training:
        return None
    exported, chosen = str(training.get("exported", "")), str(training.get("strategy", ""))
    accuracy = training.get("validation_accuracy")
    return TrainingAccount(
        strategy="feature_extraction" if exported == "head" else chosen,
        chosen=chosen,
        exported=exported,
        reason=str(training.get("exported_reason", "")),
        start=str(training.get("start", "pretrained")),
        accuracy=accuracy,
        interval=interval_of(accuracy, validation_images(ingest)),
        strategies=tuple(str(each["name"]) for each in kept_strategies(training)),
        refitted_images=training.get("refitted_images", 0),
    )


def validation_images(ingest: Json) -> int | None:
    """Number of images in the validation split; None where ingest did not say."""
    splits = ingest.get("splits", {})
    return splits.get(example_schema.VALIDATION) if isinstance(splits, dict) else None


def embedding_words(embeddings: Json) -> str:
    """Says how many images have embeddings, and how many of these were not computed now."""
    words = f"{embeddings.get('images', 0):,} images"
    if identical := embeddings.get("identical"):
        words += f", {identical:,} of them identical to another"
    if reused := embeddings.get("reused"):
        words += f", {reused:,} embedded before"
    return words
