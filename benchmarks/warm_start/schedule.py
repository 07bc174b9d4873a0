"""All searches of a benchmark: seed by seed and task by task, in one process or several.

Each seed is searched with on every task before the next, so a benchmark that is cut short has whole
seeds to report. A worker holds one task at a time, so memory does not grow with their number, and
is the only one to write that task's evaluations. Everything is kept when it is done; a second call
goes on.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache, partial
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
from models.history.past_search import PastSearch

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
        sources: how many histories could serve it.
        runs: of all methods, failed ones included.
        pooled: everything that was ever evaluated on the task.
    """

    name: str
    group: str
    sources: int
    runs: tuple[Run, ...]
    pooled: tuple[Outcome, ...]


def make_histories(bench: Bench, files: Sequence[TaskFile], jobs: int) -> None:
    """Evaluates the history of every task."""
    for name in _in_processes(partial(_make_history, bench), files, jobs):
        print(f"history: {name}", flush=True)


def make_runs(
    bench: Bench, files: Sequence[TaskFile], targets: Sequence[TaskFile], plan: Plan, jobs: int
) -> None:
    """Runs every method on every target, with the tasks of other groups as sources.

    Args:
        bench: where things are.
        files: all tasks, whose histories are there.
        targets: those that are searched on.
        plan: methods, regimes, seeds and trials.
        jobs: processes.
    """
    for seed in range(plan.seeds):
        work = partial(_search_task, bench, files, plan, seed)
        for name, made, failed in _in_processes(work, targets, jobs):
            print(f"seed {seed}: {name}, {made} searches made, {failed} failed", flush=True)


def collect_runs(
    bench: Bench, files: Sequence[TaskFile], targets: Sequence[TaskFile], plan: Plan, jobs: int
) -> list[TaskResult]:
    """Reads the searches that were made and confirms the best configurations; see `make_runs`."""
    return list(_in_processes(partial(_collect_task, bench, files, plan), targets, jobs))


def _make_history(bench: Bench, file: TaskFile) -> str:
    task = file.read()
    outcomes = evaluate_history(Evaluator(task, bench.cache), shared_configurations(bench.trials))
    write_table(bench.tables, task, outcomes)
    return file.name


def _search_task(
    bench: Bench, files: Sequence[TaskFile], plan: Plan, seed: int, file: TaskFile
) -> tuple[str, int, int]:
    """Makes what is missing of one seed; returns the task, searches made, and failed."""
    target = _target(bench, files, file)
    made = failed = 0
    for search in plan.searches(seed):
        path = run_file(bench.cache, target, plan, search)
        run = read_run(path)
        if run is not None and not run.failure:
            continue
        run = make_run(target, plan, search)
        write_run(path, run)
        made += 1
        failed += bool(run.failure)
        print(f"  {run.task} {run.method} {run.regime} {run.seed} {run.failure}", flush=True)
    return file.name, made, failed


def _collect_task(
    bench: Bench, files: Sequence[TaskFile], plan: Plan, file: TaskFile
) -> TaskResult:
    target = _target(bench, files, file)
    searches = [search for seed in range(plan.seeds) for search in plan.searches(seed)]
    known = [read_run(run_file(bench.cache, target, plan, search)) for search in searches]
    pooled = evaluations_file(bench.cache, target.task)
    confirm_best(target.evaluator, read_outcomes(pooled))
    return TaskResult(
        file.name,
        file.group,
        len(target.sources),
        tuple(run for run in known if run is not None),
        tuple(read_outcomes(pooled)),
    )


def _target(bench: Bench, files: Sequence[TaskFile], file: TaskFile) -> Target:
    task = file.read()
    evaluator = Evaluator(task, bench.cache)
    own = evaluate_history(evaluator, shared_configurations(bench.trials))
    sources = tuple(source_of(bench, each) for each in files if each.group != file.group)
    epochs = [outcome.epochs for outcome in own if outcome.score is not None]
    return Target(task, evaluator, sources, whole_epochs=sum(epochs) / len(epochs))


@cache
def source_of(bench: Bench, file: TaskFile) -> PastSearch:
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
