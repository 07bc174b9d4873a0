"""`graft knowledge list` and `graft knowledge show`."""

from models.history.collection import Entry, printable
from pipeline.config import Config
from pipeline.knowledge.catalogue import catalogue, find
from pipeline.knowledge.words import (
    accuracy,
    best_accuracy,
    making_in_words,
    parameter_in_words,
    search_in_words,
    values_in_words,
)

_BEST_TRIALS = 5


def print_list(config: Config) -> int:
    """Prints the histories that the next search would learn from, newest first, with numbers.

    What comes with Graft is last; then what cannot be learned from, with the reason.
    """
    found = catalogue(config)
    if found.entries:
        _print_table(found.entries)
    if all(entry.is_starter for entry in found.entries):
        more = " but what comes with Graft" if found.entries else ""
        print(
            f"Nothing yet that a search could learn from{more}. Every run adds its own history; "
            "`graft knowledge import` adds those of others."
        )
    left_out = [*found.skipped, *found.repeated]
    if left_out:
        print("\nLeft out:")
    for each in left_out:
        print(f"  {each.name}: {each.reason}")
    return 0


def _print_table(entries: tuple[Entry, ...]) -> None:
    width = max(len(entry.name) for entry in entries)
    tasks = [search_in_words(entry.history.header) for entry in entries]
    task_width = max(len(task) for task in tasks)
    print(f"{'#':>3}  {'name':<{width}}  trials      best  {'task':<{task_width}}  where")
    for number, (entry, task) in enumerate(zip(entries, tasks, strict=True), start=1):
        print(
            f"{number:>3}  {entry.name:<{width}}  {len(entry.history.completed):>6}  "
            f"{best_accuracy(entry):>8}  {task:<{task_width}}  {_where(entry)}"
        )


def _where(entry: Entry) -> str:
    return "comes with Graft" if entry.is_starter else printable(entry.path, 1000)


def print_history(config: Config, which: str) -> int:
    """Prints one history: its task, its space, its best trials.

    Args:
        config: of the run that would learn from it.
        which: its number or its name, as the list shows them.

    Raises:
        UsageError: there is no such history, or more than one begins with that name.
    """
    entry = find(catalogue(config).entries, which)
    header = entry.history.header
    failed = len(entry.history.trials) - len(entry.history.completed)
    search = header.search
    print(entry.name)
    print(f"  task      {search_in_words(header)}")
    print(
        f"  trials    {len(entry.history.completed)} completed, {failed} failed; "
        f"{making_in_words(search)}"
    )
    print(f"  file      {printable(entry.path, 1000)}")
    for place, parameter in enumerate(header.space.parameters):
        print(f"  {'' if place else 'space':<9} {parameter_in_words(parameter)}")
    sign = 1.0 if search.direction == "max" else -1.0
    ranked = sorted(entry.history.completed, key=lambda trial: -sign * (trial.score or 0.0))
    for place, trial in enumerate(ranked[:_BEST_TRIALS]):
        print(
            f"  {'' if place else 'best':<9} {accuracy(trial)} in trial {trial.order}: "
            f"{values_in_words(trial.values)}"
        )
    return 0
