"""Histories of the tasks: the same random configurations on each, evaluated once.

Every task has the whole list, as average-rank warm start needs configurations that all sources
know. A task's history serves the others as a source; for itself it gives the scale of regret.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.warm_start.evaluate import Evaluator, Outcome
from benchmarks.warm_start.problem import SPACE, sample
from benchmarks.warm_start.tasks import Task
from models import progress
from models.history.past_search import PastSearch
from models.history.records import TaskDescription
from models.history.search_space import Values
from models.storage.atomic_write import write_atomically

HISTORY_SEED = 1_000_000
"""Of the trainings; searches train with other seeds, so no search meets a score of its history."""


def shared_configurations(count: int, seed: int = 0) -> list[Values]:
    """Random configurations; a longer list begins with the shorter one."""
    generator = np.random.default_rng(seed)
    return [sample(SPACE, generator) for _ in range(count)]


def evaluate_history(evaluator: Evaluator, configurations: Sequence[Values]) -> list[Outcome]:
    """Evaluates each configuration, or finds its outcome."""
    outcomes = []
    for values in configurations:
        outcomes.append(evaluator.evaluate(values, HISTORY_SEED))
        progress.report(len(outcomes), len(configurations), "trials")
    return outcomes


def past_search(name: str, outcomes: Sequence[Outcome], task: TaskDescription) -> PastSearch:
    """A history as a source; trainings that diverged are left out."""
    known = [(each.values, each.score) for each in outcomes if each.score is not None]
    return PastSearch(
        name,
        tuple(values for values, _ in known),
        np.array([score for _, score in known], np.float64),
        task,
    )


def write_table(folder: Path, task: Task, outcomes: Sequence[Outcome]) -> None:
    """Writes a history as JSON lines: the task first, then an `Outcome` in each line."""
    first = {"name": task.name, "group": task.group, "task": task.description.model_dump()}
    lines = [json.dumps(record) for record in (first, *(asdict(each) for each in outcomes))]
    write_atomically(folder / f"{task.name}.jsonl", ("\n".join(lines) + "\n").encode())
