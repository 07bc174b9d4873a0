"""All searches of a benchmark: task by task, in one process or several.

A worker holds one task at a time, so memory does not grow with their number, and is the only one
to write that task's evaluations. Everything is kept when it is done; a second call goes on.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import tensorflow as tf

from benchmarks.warm_start.evaluate import Evaluator, Outcome, evaluations_file, read_outcomes
from benchmarks.warm_start.histories import (
    evaluate_history,
    past_search,
    shared_configurations,
    write_table,
)
from benchmarks.warm_start.measures import confirm_best
from benchmarks.warm_start.runs import Plan, Run, Target, make_run, read_run, run_file, write_run
from benchmarks.warm_start.tasks import TaskFile
from models.tuning.warm.past import PastSearch

Result = TypeVar("Result")


@dataclass(frozen=True)
class Bench:
    """What all workers know.

    Attributes:
        cache: folder of everything that is kept.
        tables: folder that histories are written to for people.
        trials: in each history.
    """

    cache: Path
    tables: Path
    trials: int


@dataclass(frozen=True)
class TaskResult:
    """What is known of a task at the end.

    Attributes:
        name: of the task.
        group: of the task.
        runs: of all methods, failed ones included.
        pooled: everything that was ever evaluated on the task.
    """

    name: str
    group: str
    runs: tuple[Run, ...]
    pooled: tuple[Outcome, ...]


def make_histories(bench: Bench, files: Sequence[TaskFile], jobs: int) -> None:
    """Evaluates the history of every task."""
    for name in _in_processes(partial(_make_history, bench), files, jobs):
        print(f"history: {name}", flush=True)


def make_runs(
    bench: Bench, files: Sequence[TaskFile], targets: Sequence[TaskFile], plan: Plan, jobs: int
) -> list[TaskResult]:
    """Runs every method on every target, with the tasks of other groups as sources.

    Args:
        bench: where things are.
        files: all tasks, whose histories are there.
        targets: those that are searched on.
        plan: methods, regimes, seeds and trials.
        jobs: processes.
    """
    results = []
    for result in _in_processes(partial(_make_task_runs, bench, files, plan), targets, jobs):
        failed = sum(bool(run.failure) for run in result.runs)
        print(f"searches: {result.name}, {len(result.runs)}, {failed} failed", flush=True)
        results.append(result)
    return results


def _make_history(bench: Bench, file: TaskFile) -> str:
    task = file.read()
    outcomes = evaluate_history(Evaluator(task, bench.cache), shared_configurations(bench.trials))
    write_table(bench.tables, task, outcomes)
    return file.name


def _make_task_runs(
    bench: Bench, files: Sequence[TaskFile], plan: Plan, file: TaskFile
) -> TaskResult:
    task = file.read()
    evaluator = Evaluator(task, bench.cache)
    own = evaluate_history(evaluator, shared_configurations(bench.trials))
    sources = tuple(_past(bench, each) for each in files if each.group != file.group)
    epochs = [outcome.epochs for outcome in own if outcome.score is not None]
    target = Target(task, evaluator, sources, whole_epochs=sum(epochs) / len(epochs))
    runs = []
    for search in plan.searches():
        path = run_file(bench.cache, target, plan, search)
        run = read_run(path)
        if run is None or run.failure:
            run = make_run(target, plan, search)
            write_run(path, run)
            print(f"  {run.task} {run.method} {run.regime} {run.seed} {run.failure}", flush=True)
        runs.append(run)
    pooled = evaluations_file(bench.cache, task)
    confirm_best(evaluator, read_outcomes(pooled))
    return TaskResult(file.name, file.group, tuple(runs), tuple(read_outcomes(pooled)))


def _past(bench: Bench, file: TaskFile) -> PastSearch:
    """A task's history as a source; trials that failed are left out."""
    task = file.read()
    evaluator = Evaluator(task, bench.cache)
    outcomes = evaluate_history(evaluator, shared_configurations(bench.trials))
    return past_search(file.name, outcomes, task.description)


def _in_processes(
    work: Callable[[TaskFile], Result], items: Sequence[TaskFile], jobs: int
) -> Iterator[Result]:
    """Yields results as they come."""
    if jobs == 1:
        yield from map(work, items)
        return
    threads = max(1, len(os.sched_getaffinity(0)) // jobs)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _limit_threads, (threads,)) as pool:
        for future in as_completed([pool.submit(work, item) for item in items]):
            yield future.result()


def _limit_threads(count: int) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)
