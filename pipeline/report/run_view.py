"""The report's head, its time per stage and its lineage."""

from dataclasses import dataclass

from models.backbone_record import chain_words
from models.number_text import duration, interval_text
from pipeline.report.account import training_account
from pipeline.report.artifacts import Artifacts
from pipeline.report.run_record import RunRecord
from pipeline.report.told_time import seconds_to_push, told_words

_LINEAGE = {
    "backbone": "Backbone",
    "weights": "Weights",
    "weights_digest": "Weights’ digest",
    "image_size": "Image size, px",
    "resize": "Resize",
    "strategy": "Strategy",
    "seed": "Seed",
    "code": "Code digest",
    "commit": "Commit",
}


@dataclass(frozen=True)
class Figure:
    """One of the figures at the top: `value` in large type, `name` above and `note` below it."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class StageRow:
    """One stage: `share` is of the longest one, 0..1; `state` is shown in words."""

    name: str
    seconds: float
    share: float
    state: str


@dataclass(frozen=True)
class RunView:
    """What is said of the run as a whole.

    Attributes:
        headline: how it ended, in a few words.
        tone: "good", "warning" or "bad".
        figures: those at the top of the page.
        stages: in the order in which they ran.
        lineage: names and values; unknown values are left out.
    """

    headline: str
    tone: str
    figures: list[Figure]
    stages: list[StageRow]
    lineage: list[tuple[str, str]]


_TONES = {
    "pushed": "good",
    "not_blessed": "warning",
    "stage_done": "good",
    "out_of_time": "warning",
    "failed": "bad",
}


def run_view(run: RunRecord, found: Artifacts) -> RunView:
    """Builds the view of any run, however far it came."""
    return RunView(
        headline=_headline(run),
        tone=_TONES[run.status],
        figures=_figures(run, found),
        stages=_stages(run),
        lineage=_lineage(run, found),
    )


def _headline(run: RunRecord) -> str:
    if run.status == "pushed":
        return f"Pushed as version {run.version}" if run.version else "Pushed"
    if run.status == "not_blessed":
        return "Not good enough to be pushed"
    if run.status == "stage_done":
        return f"{run.until} is done"
    if run.status == "out_of_time":
        stopped = [stage.name for stage in run.stages if stage.state == "stopped"]
        return " in ".join(["Out of time", *stopped])
    failed = next((stage.name for stage in run.stages if stage.state == "failed"), None)
    return f"Failed in {failed}" if failed else "Failed"


def _figures(run: RunRecord, found: Artifacts) -> list[Figure]:
    figures = []
    quality = found.metrics.get("quality")
    if quality:
        probe = found.metrics.get("probe_accuracy")
        note = interval_text(quality.get("accuracy_interval"))
        note += "" if probe is None else f", frozen probe {probe:.3f}"
        figures.append(Figure("Test accuracy", f"{quality['accuracy']:.3f}", note))
        note = interval_text(quality.get("top_k_accuracy_interval"))
        figures.append(
            Figure(
                f"Top-{quality['top_k']} accuracy",
                f"{quality['top_k_accuracy']:.3f}",
                f"{note} on {quality['images']:,} images",
            )
        )
    trained = training_account(found.training, found.ingest)
    if trained is not None and trained.accuracy is not None:
        note = f"{interval_text(trained.interval)}, {trained.strategy.replace('_', ' ')}"
        figures.append(Figure("Validation accuracy", f"{trained.accuracy:.3f}", note.lstrip(", ")))
    if found.ingest:
        note = f"{len(found.ingest.get('classes', {})):,} classes"
        for key, words in (("quarantined", "refused"), ("unknown", "unknown")):
            number = found.ingest.get(key, 0)
            note += f", {number:,} {words}" if number else ""
        figures.append(Figure("Images", f"{found.ingest.get('images', 0):,}", note))
    if run.stages:
        cached = sum(stage.cached for stage in run.stages)
        note = f"{cached} of {len(run.stages)} stages from cache" if cached else ""
        seconds = run.seconds or sum(stage.seconds for stage in run.stages)
        told = None if found.search is None else found.search.told_seconds
        words = told_words(told, seconds_to_push(run, found.search))
        note = "; ".join(filter(None, (note, words)))
        figures.append(Figure("Time", duration(seconds), note))
    return figures


def _stages(run: RunRecord) -> list[StageRow]:
    longest = max((stage.seconds for stage in run.stages), default=0) or 1.0
    words = {"done": ""}
    return [
        StageRow(
            name=stage.name,
            seconds=stage.seconds,
            share=stage.seconds / longest,
            state="from cache" if stage.cached else words.get(stage.state, stage.state),
        )
        for stage in run.stages
    ]


def _lineage(run: RunRecord, found: Artifacts) -> list[tuple[str, str]]:
    known = {**found.embeddings, **found.lineage, "seed": run.config.get("seed")}
    rows = [
        ("Run", run.run_id),
        ("Started", run.started.isoformat(sep=" ", timespec="seconds")),
        ("Data", run.config.get("data", {}).get("path")),
        ("Data fingerprint", found.ingest.get("fingerprint")),
        *((words, known.get(key)) for key, words in _LINEAGE.items()),
        ("Fine-tuned before on", chain_words(found.lineage.get("chain", []))),
        ("Model’s digest", found.lineage.get("model_digest")),
        ("Reproduced", run.reproduction and run.reproduction.words),
        ("Pushed to", run.pushed_to),
        ("Published to", run.published_to),
        *run.versions.items(),
    ]
    return [(name, str(value)) for name, value in rows if value not in (None, "")]
