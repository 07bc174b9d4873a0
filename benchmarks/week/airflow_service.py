"""A real Airflow 3 of one machine, with a database, a port and a folder of DAGs of its own."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_PORT: Final = 18080
_ADDRESS: Final = f"http://127.0.0.1:{_PORT}"
_UP_SECONDS: Final = 180.0
_DOWN_SECONDS: Final = 30.0
_SETTINGS: Final = {
    "AIRFLOW__API__HOST": "127.0.0.1",
    "AIRFLOW__API__PORT": str(_PORT),
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__API_AUTH__JWT_SECRET": "a-week-of-spans-is-no-secret-at-all",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{_ADDRESS}/execution/",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__PARALLELISM": "2",
    # Nobody but this machine reaches it, so that no password is needed.
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    # What a dead scheduler held is looked for each half a minute, not each five.
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
}


class AirflowService:
    """`airflow standalone`, to be killed and started again."""

    def __init__(self, executable: Path, home: Path) -> None:
        """Starts nothing yet.

        Args:
            executable: `airflow`, in its environment.
            home: folder for all that it keeps.
        """
        self._executable = executable
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and waits until scheduler and processor of DAGs are alive.

        Raises:
            TimeoutError: they are not within three minutes.
        """
        # `standalone` calls `airflow` by its name.
        path = f"{self._executable.parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | _SETTINGS | {"AIRFLOW_HOME": str(self._home), "PATH": path}
        with (self._home / "standalone.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._executable, "standalone"],
                cwd=self._home,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + _UP_SECONDS
        while not self._is_up():
            if time.monotonic() > end:
                raise TimeoutError(f"Airflow is not up; {self._home}/standalone.log says why.")
            time.sleep(1)

    def stop(self) -> None:
        """Stops it, and whatever it has left behind half a minute later."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_DOWN_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _is_up(self) -> bool:
        try:
            health = self.ask("monitor/health")
        except OSError:
            return False
        return all(health[part]["status"] == "healthy" for part in ("scheduler", "dag_processor"))

    def ask(self, path: str) -> Any:
        """The answer of Airflow's API.

        Args:
            path: below `/api/v2`.

        Raises:
            OSError: it does not answer.
        """
        with urllib.request.urlopen(f"{_ADDRESS}/api/v2/{path}", timeout=60) as answer:
            return json.load(answer)

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """The runs of a DAG, the oldest day first; none before the DAG is known."""
        try:
            found = self.ask(f"dags/{dag}/dagRuns?order_by=run_after&limit=50")["dag_runs"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        return list(found)

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        """The tasks of a run by their names."""
        found = self.ask(f"dags/{dag}/dagRuns/{run}/taskInstances?limit=100")["task_instances"]
        return {each["task_id"]: each for each in found}

    def kill(self, program: str, *arguments: str) -> bool:
        """Kills by SIGKILL the first of its processes that runs a program with these arguments.

        Returns:
            Whether there was one.
        """
        wanted = [program, *arguments]
        found = [pid for pid in self._processes() if _runs(pid, wanted)]
        if not found:
            return False
        os.kill(min(found), signal.SIGKILL)
        return True

    def _processes(self) -> Iterator[int]:
        """All that descend from it."""
        assert self._process is not None
        parents = dict(_parents())
        family = {self._process.pid}
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        yield from family


def _parents() -> Iterator[tuple[int, int]]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            # The name, in brackets, may hold anything.
            yield int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])


def _runs(pid: int, wanted: list[str]) -> bool:
    """Whether a process is the program, by whatever interpreter, with these first arguments."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return False
    names = [Path(word).name if "/" in word else word for word in words]
    return any(names[at : at + len(wanted)] == wanted for at in range(2))
