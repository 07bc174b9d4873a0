"""The end of a run in words."""

from pathlib import Path
from typing import Any

from rich.console import Console

from models.backbone_choice.backbone_choice import Candidate
from models.number_text import interval_text
from models.wording import counted, listed
from pipeline.report.told_time import told_words
from pipeline.run_folder import LOG, REPORT

_HEADLINES = {
    "pushed": "[bold green]Pushed[/]",
    "not_blessed": "[bold yellow]Not blessed[/]",
    "stage_done": "[bold green]Done[/]",
    "out_of_time": "[bold yellow]Out of time[/]",
    "failed": "[bold red]Failed[/]",
}
_MOST_NAMED = 5


def print_summary(summary: dict[str, Any], folder: Path) -> None:
    """Prints what `summary.json` holds, for a person.

    Args:
        summary: as documented in docs/REPORT.md.
        folder: of the run.
    """
    console = Console(highlight=False, soft_wrap=True)
    console.print()
    console.print(_HEADLINES[summary["status"]], end="  ")
    console.print(summary["reason"], markup=False)
    for name, text in _rows(summary):
        console.print(f"  {name:<10}{text}", markup=False)
    if (folder / REPORT).is_file():
        console.print(f"  {'report':<10}{folder / REPORT}", markup=False)
    console.print(f"  {'log':<10}{folder / LOG}", markup=False)


def _rows(summary: dict[str, Any]) -> list[tuple[str, str]]:
    data, metrics, model = summary["data"], summary["metrics"], summary["model"]
    rows = _data_rows(data)
    if model.get("backbone"):
        rows.append(("backbone", f"{model['backbone']} at {model['image_size']} px"))
    if summary["tuning"].get("configurations"):
        rows.append(("search", _search(summary["tuning"])))
    if model.get("words"):
        rows.append(("training", model["words"]))
    rows += _verdict_rows(data, metrics, model)
    if summary["reproduction"]["run"]:
        rows.append(("weights", summary["reproduction"]["words"]))
    rows.append(("time", _time(summary["stages"], summary["tuning"])))
    return rows


def _verdict_rows(
    data: dict[str, Any], metrics: dict[str, Any], model: dict[str, Any]
) -> list[tuple[str, str]]:
    rows = []
    if metrics.get("accuracy") is not None:
        probe = metrics.get("probe_accuracy")
        against = "" if probe is None else f"; frozen probe {_figure(metrics, 'probe_accuracy')}"
        images = f"{metrics['test_images']:,} test images"
        rows.append(("accuracy", f"{_figure(metrics, 'accuracy')} on {images}{against}"))
    rows += _missed("", metrics["per_class"])
    if data.get("kept_test") and metrics.get("test_images"):
        shared = f"{data['kept_test']:,} of {metrics['test_images']:,} images"
        rows.append(("test set", f"{shared} the last blessed model was tested on, too"))
    if model.get("class_changes"):
        words = [each["words"] for each in model["class_changes"]]
        rows.append(("classes", listed(words, _MOST_NAMED, "; ")))
    for column, told in metrics["further_labels"].items():
        images = f"{told['test_images']:,} test images"
        always = f"always {told['frequent']!r}: {told['frequent_share']:.3f}"
        rows.append(("further", f"{column}: {_figure(told, 'accuracy')} on {images}; {always}"))
        rows += _missed(f"{column}: ", told["per_class"])
    if metrics["slices"]["words"]:
        rows.append(("slices", metrics["slices"]["words"]))
    if model.get("pushed_to"):
        rows.append(("model", f"version {model['version']} in {model['pushed_to']}"))
    if model.get("published_to"):
        rows.append(("published", model["published_to"]))
    return rows


def _missed(begin: str, per_class: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Classes with a recall of 0, which an accuracy over all images does not show."""
    missed = [label for label, each in per_class.items() if each["recall"] == 0]
    if not missed:
        return []
    images = counted(sum(per_class[label]["images"] for label in missed), "test image")
    classes = f"{len(missed)} of {len(per_class)} classes"
    named = listed([repr(label) for label in missed], _MOST_NAMED)
    return [("missed", f"{begin}none of the {images} of {classes} is recognised: {named}")]


def _data_rows(data: dict[str, Any]) -> list[tuple[str, str]]:
    rows = []
    if data.get("words"):
        rows.append(("data", f"{data['words']}, in {data['classes']} classes"))
    if data.get("layout"):
        rows.append(("layout", str(data["layout"])))
    for column, told in data["further_labels"].items():
        rows.append(("column", f"{column}: {told['words']}"))
    if data["findings"]["words"]:
        rows.append(("findings", data["findings"]["words"]))
    if data["labels"]["suspects"]:
        rows.append(("labels", data["labels"]["words"]))
    return rows


def _figure(metrics: dict[str, Any], name: str) -> str:
    return f"{metrics[name]:.3f} {interval_text(metrics[f'{name}_interval'])}".rstrip()


def _search(tuning: dict[str, Any]) -> str:
    """What was searched, from what."""
    count, past = tuning["configurations"], tuning["past"]
    begun = counted(count, "configuration")
    searches = counted(len(past), "earlier search", "earlier searches")
    start = f"warm from {searches}" if past else "cold, from no earlier search"
    misled = ", which misled and were dropped" if tuning["past_trusted"] is False else ""
    refused = ", ".join(
        str(Candidate.model_validate(each["candidate"])) for each in tuning["refused"]
    )
    without = f"; without {refused}, as the report says" if refused else ""
    of_all = f" ({tuning['process_seconds']:.0f} s of all processes together)"
    took = f"{tuning['seconds']:.0f} s{of_all if tuning['is_shared'] else ''}"
    return f"{begun} in {took}, {start}{misled}{without}"


def _time(stages: dict[str, dict[str, Any]], tuning: dict[str, Any]) -> str:
    seconds = sum(stage["seconds"] for stage in stages.values())
    cached = sum(bool(stage["cached"]) for stage in stages.values())
    words = told_words(tuning["told_seconds"], tuning["taken_seconds"])
    stages_words = f"{seconds:.0f} s in stages, {cached} of {len(stages)} cached"
    return "; ".join(filter(None, (stages_words, words)))
