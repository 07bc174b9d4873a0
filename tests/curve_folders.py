"""Folders of learning curves in Quick-Tune's format."""

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

from models.curves.learning_curve import CurveTask


def write_curves(folder: Path, tasks: Sequence[CurveTask]) -> None:
    """Tasks in Quick-Tune's format."""
    folder.mkdir(parents=True)
    scores: dict[str, dict[str, list[float]]] = {}
    seconds: dict[str, dict[str, list[float]]] = {}
    described: dict[str, list[float]] = {}
    rows: list[list[object]] = []
    backbones = ("small", "middle", "large")
    for task in tasks:
        scores[task.name], seconds[task.name] = {}, {}
        described[task.name] = [task.size, 10, 64, 3]
        for number, curve in enumerate(task.curves):
            key = f"{task.name}{number}"
            scores[task.name][key] = [100 * score for score in curve.scores]
            seconds[task.name][key] = list(curve.seconds)
            one_hot = [int(curve.values["backbone"] == name) for name in backbones]
            rows.append([key, *one_hot, curve.values["rate"], 1, 0])
    for name, content in (("perf", scores), ("cost", seconds), ("descriptors", described)):
        with gzip.open(folder / f"{name}.json.gz", "wt") as file:
            json.dump(content, file)
    header = [f"cat:backbone:{name}" for name in backbones] + ["lr"]
    with gzip.open(folder / "table.csv.gz", "wt", newline="") as file:
        # As published: commas in brackets, and no quotes.
        file.write(",".join(["", *header, "cat:betas:[0.0, 0.9]", "cat:betas:None"]) + "\n")
        csv.writer(file).writerows(rows)
