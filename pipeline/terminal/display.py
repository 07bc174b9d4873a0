"""Live progress of a run: the stage at work, how far it is, and how long it still takes."""

import re
import time
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from models import progress

_PLAIN_EVERY_SECONDS = 10.0


class Display:
    """Shows stages on a terminal as a live line, elsewhere as one plain line for each stage.

    Use as a context manager around the run.

    Args:
        stream: where to write.
        titles: stage name to what it is called here; a stage without a title is not shown.
    """

    def __init__(self, stream: TextIO, titles: dict[str, str]) -> None:
        self._console = Console(file=stream, highlight=False)
        self._titles = titles
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[amount]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._listening = progress.listening(self._on_progress)
        self._last: progress.Progress | None = None
        self._said = 0.0

    def __enter__(self) -> "Display":
        self._live.start()
        self._listening.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listening.__exit__(kind, error, traceback)
        self._live.stop()

    def say(self, text: str) -> None:
        """Prints a line above the live one."""
        self._print(text, markup=False)

    def stage_started(self, name: str) -> None:
        """A stage begins."""
        self._last = None
        self._said = time.monotonic()
        if name in self._titles:
            self._task = self._live.add_task(self._titles[name], total=None, amount="")

    def stage_ended(self, name: str, seconds: float, *, cached: bool, note: str = "") -> None:
        """A stage is done, or its results were taken from an earlier run.

        Args:
            name: of the stage.
            seconds: wall time.
            cached: whether the results are an earlier run's.
            note: what came of the stage; without a note the line repeats its last progress.
        """
        if self._task is not None:
            self._live.remove_task(self._task)
            self._task = None
        if name not in self._titles:
            return
        amount = self._amount(self._last) if self._last and not cached else ""
        took = "cached" if cached else f"{seconds:.1f} s"
        told = escape(note or amount)
        self._print(f"  [green]✓[/] {self._titles[name]:<28}[dim]{took:>9}[/]   [dim]{told}[/]")

    def stage_failed(self, name: str) -> None:
        """A stage stopped the run."""
        if self._task is not None:
            self._live.remove_task(self._task)
            self._task = None
        untitled = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()
        self._print(f"  [red]✗[/] {self._titles.get(name, untitled)}")

    def _print(self, text: str, *, markup: bool = True) -> None:
        self._console.print(text, markup=markup, soft_wrap=True)

    def _on_progress(self, told: progress.Progress) -> None:
        if told.is_lasting:
            self.say(told.note)
            return
        self._last = told
        if self._task is None:
            return
        if self._console.is_terminal:
            self._live.update(
                self._task, completed=told.done, total=told.total, amount=self._amount(told)
            )
        elif time.monotonic() - self._said > _PLAIN_EVERY_SECONDS:
            self._said = time.monotonic()
            self._print(f"    {self._amount(told)}", markup=False)

    @staticmethod
    def _amount(told: progress.Progress) -> str:
        total = f"/{told.total}" if told.total and told.total != told.done else ""
        note = f", {told.note}" if told.note else ""
        return f"{told.done}{total} {told.unit}{note}"
