"""The few calls of MLflow's REST API (version 2.0) that a run needs."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote

import httpx

from models.errors import GraftError
from pipeline.deadline import within

_API: Final = "api/2.0/mlflow"
_STORED: Final = "mlflow-artifacts:/"
"""How the place of artifacts begins that the server itself takes."""
_MOST_PARAMS: Final = 100
_MOST_METRICS: Final = 1000
_LONGEST: Final = 500
"""Characters of a value that every version of MLflow takes."""

_MOST_FOUND: Final = 1000
"""Runs in an answer."""

Ending = Literal["FINISHED", "FAILED", "KILLED"]
"""Of these MLflow has KILLED for what did not end by itself."""

Metric = tuple[str, float, int]
"""Name, value and step."""


class TrackingError(GraftError):
    """The server does not answer, or refuses."""


class MlflowServer:
    """A tracking server."""

    def __init__(self, address: str, timeout: float) -> None:
        """Connects when it is first called.

        Args:
            address: http or https.
            timeout: seconds to wait for each answer.

        Raises:
            TrackingError: the address, or what the environment says to log in with, is none.
        """
        self._timeout = timeout
        try:
            self._client = httpx.Client(base_url=address, timeout=timeout, **_credentials())
        except (httpx.InvalidURL, UnicodeError) as error:
            raise TrackingError(f"its address or its token cannot be used ({error})") from None

    def close(self) -> None:
        """Hangs up."""
        self._client.close()

    def experiment(self, name: str) -> str:
        """The id of an experiment, which is made if it is missing.

        Raises:
            TrackingError: the server does not answer, or refuses.
        """
        found = self._call(
            "GET", "experiments/get-by-name", {"experiment_name": name}, missing=True
        )
        if found:
            return str(found["experiment"]["experiment_id"])
        return str(self._call("POST", "experiments/create", {"name": name})["experiment_id"])

    def begin(
        self, experiment: str, name: str, started: int, tags: Mapping[str, str]
    ) -> tuple[str, str]:
        """Begins a run.

        Args:
            experiment: its id.
            name: of the run.
            started: milliseconds since 1970.
            tags: by name.

        Returns:
            Its id, and the place of its artifacts.

        Raises:
            TrackingError: the server does not answer, or refuses.
        """
        body = {
            "experiment_id": experiment,
            "run_name": name,
            "start_time": started,
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        info = self._call("POST", "runs/create", body)["run"]["info"]
        return str(info["run_id"]), str(info["artifact_uri"])

    def unfinished(self, experiment: str, tags: Mapping[str, str]) -> list[str]:
        """The ids of runs that were begun and not ended.

        Args:
            experiment: its id.
            tags: that a run has to have, by name.

        Raises:
            TrackingError: the server does not answer, or refuses.
        """
        body = {
            "experiment_ids": [experiment],
            "filter": "attributes.status = 'RUNNING'",
            "max_results": _MOST_FOUND,
        }
        found = self._call("POST", "runs/search", body).get("runs", [])
        # Compared here, as a path may hold what no filter of MLflow's can.
        return [str(run["info"]["run_id"]) for run in found if tags.items() <= _tags(run).items()]

    def log(
        self, run: str, parameters: Mapping[str, Any], metrics: Iterable[Metric], at: int
    ) -> None:
        """Adds parameters and metrics to a run.

        Args:
            run: its id.
            parameters: by name; long values are cut.
            metrics: of all steps.
            at: milliseconds since 1970.

        Raises:
            TrackingError: the server does not answer, or refuses.
        """
        params = [{"key": key, "value": str(value)[:_LONGEST]} for key, value in parameters.items()]
        values = [
            {"key": key, "value": value, "step": step, "timestamp": at}
            for key, value, step in metrics
        ]
        for first in range(0, len(params), _MOST_PARAMS):
            some = {"params": params[first : first + _MOST_PARAMS]}
            self._call("POST", "runs/log-batch", {"run_id": run, **some})
        for first in range(0, len(values), _MOST_METRICS):
            more = {"metrics": values[first : first + _MOST_METRICS]}
            self._call("POST", "runs/log-batch", {"run_id": run, **more})

    def end(self, run: str, at: int, status: Ending) -> None:
        """Ends a run.

        Raises:
            TrackingError: the server does not answer, or refuses.
        """
        self._call("POST", "runs/update", {"run_id": run, "status": status, "end_time": at})

    def store(self, place: str, file: Path) -> None:
        """Stores a file among the artifacts of a run.

        Args:
            place: of the run's artifacts.
            file: to store.

        Raises:
            TrackingError: the server does not take artifacts, does not answer, or refuses.
            OSError: the file cannot be read.
        """
        if not place.startswith(_STORED):
            raise TrackingError(
                f"the artifacts of this server lie at {place}, which it does not write itself; "
                "start it with --serve-artifacts"
            )
        path = quote(f"{place.removeprefix(_STORED).lstrip('/')}/{file.name}")
        self._answer("PUT", f"api/2.0/mlflow-artifacts/artifacts/{path}", content=file.read_bytes())

    def _call(
        self, method: str, path: str, body: Mapping[str, Any], *, missing: bool = False
    ) -> dict[str, Any]:
        """The answer; empty where nothing is there and that is allowed."""
        given = {"params": dict(body)} if method == "GET" else {"json": dict(body)}
        answer = self._answer(method, f"{_API}/{path}", missing=missing, **given)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {}
        try:
            found: dict[str, Any] = answer.json()
        except ValueError:
            raise TrackingError(f"what answers at {path} is no MLflow server") from None
        return found

    def _answer(
        self, method: str, path: str, *, missing: bool = False, **given: Any
    ) -> httpx.Response:
        try:
            answer = within(self._timeout, lambda: self._client.request(method, path, **given))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeError) as error:
            raise TrackingError(f"it does not answer ({type(error).__name__})") from None
        is_missing = missing and answer.status_code == httpx.codes.NOT_FOUND
        if answer.is_redirect:
            raise TrackingError(
                f"it answered {answer.status_code} to {path}, which leads to another address: give "
                "that one in tracking.mlflow"
            )
        if not answer.is_success and not is_missing:
            raise TrackingError(f"it answered {answer.status_code} to {path}: {answer.text[:200]}")
        return answer


def _tags(run: Mapping[str, Any]) -> dict[str, str]:
    return {each["key"]: each["value"] for each in run["data"].get("tags", [])}


def _credentials() -> dict[str, Any]:
    """As MLflow's own client takes them."""
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return {"headers": {"Authorization": f"Bearer {token}"}}
    name = os.environ.get("MLFLOW_TRACKING_USERNAME")
    password = os.environ.get("MLFLOW_TRACKING_PASSWORD")
    return {"auth": (name, password)} if name and password else {}
