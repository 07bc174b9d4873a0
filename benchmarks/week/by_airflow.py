"""A week of nightly runs by a real Airflow 3, which makes up for all seven days in turn.

The week is that of `week_spans.py`, and lies there from the beginning, as after a week in which
Airflow was down. Its `standalone` runs the DAG that `graft schedule --as airflow --since` wrote: a
task a stage, one run at a time, each run with the spans until its day. On the way one task has its
`graft` killed, on another day the scheduler is killed and Airflow started again, both by `kill -9`.
Of a person two decisions are asked for, and made as soon as the run that asks has failed: to
accept the new class, and to take the damaged day away. Airflow is told nothing of either.

    ./dev bench week/by_airflow --airflow VENV/bin/airflow --data ../shared/data/clothing/train \
        --out benchmarks/out/week-airflow
"""

import argparse
import datetime
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from airflow_service import AirflowService
from week_spans import CONFIG, DAMAGED, DAYS, NEW_CLASS, WHAT, add_span, span

_DAG: Final = "week"
_KILLED_TASK, _KILLED_SCHEDULER = (2, "Trainer"), (4, "Evaluator")
"""The day and the task during which something is killed."""
_INSIDE: Final = 8.0
"""Seconds after which a task is in the midst of its stage."""
_BUSY: Final = 5
_ENDED: Final = ("success", "failed")
_HEAD: Final = """\
| day | span | run | tasks that failed | tried again | seconds | versions |
|---|---|---|---|---|---|---|"""


def main() -> None:
    """Prints a line for each day, what was done by hand and by `kill -9`, and what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--airflow", type=Path, required=True, help="of Airflow's environment")
    parser.add_argument("--data", type=Path, required=True, help="folder with a folder per class")
    parser.add_argument("--out", type=Path, required=True, help="new folder for all of the week")
    parser.add_argument("--images", type=int, default=20, help="of each class a day")
    arguments = parser.parse_args()
    week = _Week(arguments.out.resolve())
    week.prepare(arguments.data, arguments.images)
    airflow = AirflowService(arguments.airflow.absolute(), week.home)
    print(_HEAD, flush=True)
    begin = time.monotonic()
    try:
        airflow.start()
        week.follow(airflow)
    finally:
        airflow.stop()
    most = max(len(versions) for versions in week.pushed.values())
    print(f"{len(week.pushed)} days in {time.monotonic() - begin:.0f} s, {week.kills} kills")
    print(f"pushed by a day, at the most: {most}")


@dataclass
class _Week:
    """The folder of the week, and how far Airflow is.

    Attributes:
        folder: new.
        pushed: the versions that came in each day that has ended.
        kills: made so far.
    """

    folder: Path
    pushed: dict[int, list[int]] = field(default_factory=dict)
    kills: int = 0
    _first: datetime.date = field(init=False)
    _seen: dict[str, float] = field(default_factory=dict)
    """When each task that is to be disturbed was first seen at work."""
    _done: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        today = datetime.datetime.now(datetime.timezone.utc).date()
        # A run is due at the beginning of its day, so that the last one is today's.
        self._first = today - datetime.timedelta(days=len(DAYS) - 1)

    @property
    def home(self) -> Path:
        """Airflow's folder."""
        return self.folder / "airflow"

    def prepare(self, data: Path, images: int) -> None:
        """Writes the spans, the configuration and the DAG."""
        self.home.mkdir(parents=True)
        (self.folder / "graft.yaml").write_text(CONFIG)
        for day in DAYS:
            add_span(data, span(self.folder, self._first, day), day, images)
        options = ["--every", "day at 00:00", "--as", "airflow", "--since", self._first.isoformat()]
        options += ["--name", _DAG, "--out", str(self.home / "dags")]
        done = self._graft("schedule", *options)
        if done.returncode != 0:
            raise RuntimeError(f"graft schedule ended with {done.returncode}: {done.stderr}")
        file = self.home / "dags" / f"{_DAG}_dag.py"
        # Five minutes before a task is tried again would show nothing more; in less than one a
        # busy machine has not brought Airflow's server up again, and all tries are soon over.
        file.write_text(file.read_text().replace("timedelta(minutes=5)", "timedelta(minutes=1)"))

    def _graft(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        graft = str(Path(sys.executable).with_name("graft"))
        command = [graft, *arguments, "--config", str(self.folder / "graft.yaml")]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def follow(self, airflow: AirflowService) -> None:
        """Looks at Airflow each second until the seven days are over."""
        while len(self.pushed) < len(DAYS):
            time.sleep(1)
            runs = airflow.runs(_DAG)
            for day, run in zip(DAYS, runs, strict=False):
                if run["state"] in _ENDED and day not in self.pushed:
                    self._ended(airflow, day, run)
                elif run["state"] == "running":
                    self._disturb(airflow, day, run)

    def _ended(self, airflow: AirflowService, day: int, run: dict[str, Any]) -> None:
        before = [version for versions in self.pushed.values() for version in versions]
        versions = self._versions()
        self.pushed[day] = [each for each in versions if each not in before]
        tasks = airflow.tasks(_DAG, run["dag_run_id"])
        failed = [name for name, task in tasks.items() if task["state"] == "failed"]
        again = [name for name, task in tasks.items() if task["try_number"] > 1]
        cells = [day, WHAT.get(day, ""), run["state"], ", ".join(failed), ", ".join(again)]
        cells += [f"{_seconds(run):.0f}", " ".join(map(str, versions))]
        print("|", " | ".join(map(str, cells)), "|", flush=True)
        if run["state"] == "failed":
            self._decide(day)

    def _versions(self) -> list[int]:
        served = self.folder / "work" / "serving" / "graft"
        return sorted(int(path.name) for path in served.glob("[0-9]*"))

    def _decide(self, day: int) -> None:
        """What is left to a person."""
        if day == NEW_CLASS:
            done = self._graft("schema", "accept")
            while done.returncode == _BUSY:
                time.sleep(1)
                done = self._graft("schema", "accept")
            print(f"by hand: graft schema accept: {done.stdout.strip()}{done.stderr.strip()}")
        if day == DAMAGED:
            span(self.folder, self._first, day).rename(self.folder / "taken-away")
            print("by hand: the damaged day is taken away")

    def _disturb(self, airflow: AirflowService, day: int, run: dict[str, Any]) -> None:
        for wanted, task in (_KILLED_TASK, _KILLED_SCHEDULER):
            if day != wanted or task in self._done:
                continue
            state = airflow.tasks(_DAG, run["dag_run_id"]).get(task, {}).get("state")
            if state != "running":
                continue
            if time.monotonic() - self._seen.setdefault(task, time.monotonic()) < _INSIDE:
                continue
            self._done.add(task)
            if (wanted, task) == _KILLED_TASK:
                self._kill(airflow, f"day {day}, the graft of {task}", "graft", "stage", task)
            else:
                self._kill(
                    airflow, f"day {day}, the scheduler during {task}", "airflow", "scheduler"
                )
                airflow.stop()
                airflow.start()

    def _kill(self, airflow: AirflowService, what: str, *words: str) -> None:
        if not airflow.kill(*words):
            raise LookupError(f"nothing to kill: {what}")
        self.kills += 1
        print(f"kill -9: {what}", flush=True)


def _seconds(run: dict[str, Any]) -> float:
    begin, end = (datetime.datetime.fromisoformat(run[key]) for key in ("start_date", "end_date"))
    return (end - begin).total_seconds()


if __name__ == "__main__":
    main()
