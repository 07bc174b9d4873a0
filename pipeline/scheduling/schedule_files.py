"""Writes the files with which a scheduler starts runs. They hold no logic: all call `graft`."""

import json
import re
import shlex
import shutil
import sys
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any, Final

from components.example_gen.sources.spans import has_placeholder, is_dated
from models.errors import UsageError
from models.storage.atomic_write import write_atomically
from models.storage.locations import is_remote
from pipeline.config import Config
from pipeline.config_file import as_yaml
from pipeline.config_paths import paths_by_key
from pipeline.failure import writing_to
from pipeline.fetched_paths import is_fetched, source_of
from pipeline.needed.needed_command import NOT_NEEDED
from pipeline.scheduling.quoting import cron_line, one_line, templated, unit_command, unit_text
from pipeline.scheduling.recurrence import Recurrence
from pipeline.text_templates import text_templates

FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "cron": ("graft.cron",),
    "systemd": ("graft.service", "graft.timer"),
    "kubernetes": ("cronjob.yaml",),
    "airflow": ("graft_dag.py",),
    "kubeflow": ("pipeline.yaml",),
}
"""Schedulers, and the templates of the files of each."""
_TEMPLATES: Final = Path(__file__).parent / "templates"
_NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,40}[a-z0-9])?")
_PART: Final = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_IMAGE: Final = re.compile(
    r"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?/)?"
    rf"{_PART}(?:/{_PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
)
"""Of a registry's host, the path, the tag and the digest (the grammar of OCI's distribution)."""


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """What is to be run, and when.

    Attributes:
        config: the effective configuration, with `data.path` set.
        config_file: where it is read from.
        recurrence: when.
        timezone: of the IANA's database, such as Europe/Berlin; empty for the scheduler's own,
            which is UTC for Kubernetes.
        name: of the objects in Kubernetes, of the DAG in Airflow and its file, of the pipeline in
            Kubeflow, of the files for cron and systemd.
        image: of Graft, for Kubernetes and Kubeflow.
        gpu: ask Kubernetes for an NVIDIA GPU.
        since: first day that Airflow makes up for; None for the day that the file is written.
    """

    config: Config
    config_file: Path
    recurrence: Recurrence
    timezone: str = ""
    name: str = "graft"
    image: str = ""
    gpu: bool = False
    since: date | None = None

    def __post_init__(self) -> None:
        """Checks what schedulers would find out too late.

        Raises:
            UsageError: no data is named, or the time zone, the name or the image's is none.
        """
        if not self.config.data.path:
            raise UsageError(f"{self.config_file} names no data: set data.path in it.")
        if self.timezone and self.timezone not in zoneinfo.available_timezones():
            raise UsageError(
                "Expected a time zone of the IANA's database, such as Europe/Berlin; got "
                f"{self.timezone!r}."
            )
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                "Expected a name of at most 42 lower-case letters, digits and hyphens that begins "
                f"with a letter; got {self.name!r}."
            )
        if self.image and not _IMAGE.fullmatch(self.image):
            raise UsageError(
                "Expected an image's name such as registry.example.com/team/graft:1.0; got "
                f"{self.image!r}."
            )


def file_names(form: str, name: str) -> dict[str, str]:
    """The names of a scheduler's files, each with that of its template.

    Those that are copied beside other schedules' bear the name of theirs.

    Args:
        form: one of `FORMS`.
        name: of the schedule.
    """
    return {re.sub("^graft", name, each): each for each in FORMS[form]}


def schedule_files(run: ScheduledRun, form: str, folder: Path) -> dict[str, str]:
    """The text of each file, by its name.

    Args:
        run: what and when.
        form: one of `FORMS`.
        folder: the files are going to be in.

    Raises:
        UsageError: the scheduler cannot do it.
    """
    if form == "cron" and run.timezone:
        raise UsageError("Debian's cron has one time zone, the machine's: leave --timezone out.")
    if form == "kubernetes" and not run.image:
        raise UsageError(_NO_IMAGE.format(form.title()))
    environment = text_templates(_TEMPLATES)
    values = _values(run, form, folder)
    return {
        name: environment.get_template(f"{template}.j2").render(values)
        for name, template in file_names(form, run.name).items()
    }


def _values(run: ScheduledRun, form: str, folder: Path) -> dict[str, Any]:
    common = {
        "recurrence": run.recurrence,
        "timezone": run.timezone,
        "app": run.name,
        "variables": run.config.variables,
    }
    own = {"kubernetes": _of_kubernetes, "airflow": _of_airflow}.get(form)
    if own:
        return common | own(run, folder)
    config_file = run.config_file.absolute()
    command = [*_graft(), *_arguments(str(config_file))]
    here = Path.cwd()
    return common | {
        "environment_file": unit_text(str(config_file.with_suffix(".env"))),
        "cron_file": one_line(shlex.quote(str(folder / f"{run.name}.cron"))),
        "cron_command": cron_line(here, command),
        "config": unit_text(str(config_file)),
        "config_uri": unit_text(config_file.as_uri()),
        "folder": unit_text(str(here)),
        "unit_command": unit_command(command),
    }


def _of_kubernetes(run: ScheduledRun, folder: Path) -> dict[str, Any]:
    if _data_root(run.config) == "/":
        raise UsageError(
            "data.path: Kubernetes mounts the folder that holds all spans, which may not be /. "
            f"Put them into a folder of their own; got {run.config.data.path}."
        )
    return {
        "image": run.image,
        "gpu": run.gpu,
        "file": one_line(shlex.quote(str(folder / "cronjob.yaml"))),
        "arguments": _arguments("/etc/graft/graft.yaml"),
        "effective": as_yaml(run.config),
        "workspace": str(run.config.workspace_path),
        "data_root": one_line(_data_root(run.config)),
        "is_fetched": is_fetched(run.config),
        "unmounted": [one_line(each) for each in _unmounted(run.config)],
        "json": json.dumps,
    }


def _unmounted(config: Config) -> list[str]:
    """Keys and paths of the configuration that neither volume of Kubernetes has."""
    mounted = list(filter(None, (config.workspace, _data_root(config))))
    shared = *config.knowledge.paths, config.knowledge.share
    places = paths_by_key(config) | {
        "knowledge": tuple(each for each in shared if each and not is_remote(each))
    }
    return [
        f"{key}: {path}"
        for key, paths in places.items()
        for path in dict.fromkeys(paths)
        if not any(Path(path).is_relative_to(root) for root in mounted)
    ]


def _of_airflow(run: ScheduledRun, _: Path) -> dict[str, Any]:
    from pipeline.stages import stage_graph

    where = ["--config", str(run.config_file.absolute())]
    workspace = ["--workspace", str(run.config.workspace_path)]
    has_dates = is_dated(run.config.data.path)
    # A run that makes up for a day takes no spans that came after it.
    spans = run.config.data.spans
    # `airflow dags test DAY` sets the logical date alone, a manual run the other alone.
    day = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"
    is_rolling = has_dates and spans.startswith(("newest", "last")) and "until" not in spans
    until = f' --set "data.spans={spans} until {day}"' if is_rolling else ""
    return {
        "graft": templated(shlex.join(_graft())),
        "options": templated(shlex.join([*where, *workspace])) + until,
        "report_options": templated(shlex.join([*where, *workspace])),
        "stages": stage_graph(run.config),
        "has_dates": has_dates,
        "not_needed": NOT_NEEDED,
        "start": run.since or datetime.now(timezone.utc).date(),
        "repr": repr,
    }


def _arguments(config_file: str) -> list[str]:
    return ["run", "--config", config_file, "--if-needed", "--wait"]


def _graft() -> list[str]:
    """The command as a scheduler finds it, whose PATH is another one."""
    beside = Path(sys.executable).with_name("graft")
    found = str(beside) if beside.is_file() else shutil.which("graft")
    return [found] if found else [sys.executable, "-m", "graft"]


def _data_root(config: Config) -> str:
    """The folder that holds the data, whatever its span; empty where it lies in a bucket."""
    if source_of(config.data.path, config.workspace_path):
        return ""
    place = Path(config.data.path)
    # A folder's name may have a dot; what is no folder here may be a file where it is mounted.
    if place.suffix and not place.is_dir():
        place = place.parent
    while has_placeholder(str(place)):
        place = place.parent
    return str(place)


def write_schedule(run: ScheduledRun, form: str, folder: Path) -> int:
    """`graft schedule`: writes the files and says how to install them.

    Returns:
        The exit code.

    Raises:
        UsageError: the scheduler cannot do it, or a file cannot be written.
    """
    if run.since and not (form == "airflow" and is_dated(run.config.data.path)):
        raise UsageError(
            "--since is for --as airflow and a data.path with days, such as photos/{DATE}: nothing "
            "else makes up for days. Leave it out."
        )
    with writing_to(folder, "Name another folder with --out"):
        if form == "kubeflow":
            _write_kubeflow(run, folder)
        else:
            for name, text in schedule_files(run, form, folder).items():
                write_atomically(folder / name, text.encode())
    names = " and ".join(str(folder / name) for name in file_names(form, run.name))
    print(f"Wrote {names}. To install:\n  {_install(run, form, folder)}")
    if form == "kubernetes" and (missing := _unmounted(run.config)):
        print("Its two volumes lack what the configuration names; mount it in the file too:")
        print("\n".join(f"  {each}" for each in missing))
    return 0


def _write_kubeflow(run: ScheduledRun, folder: Path) -> None:
    from pipeline.kubeflow.compile import compile_pipeline, without_effect

    if not run.image:
        raise UsageError(_NO_IMAGE.format("Kubeflow"))
    if run.timezone not in ("", "UTC", "Etc/UTC"):
        raise UsageError("Kubeflow's recurring runs are in UTC: leave --timezone out.")
    if run.gpu:
        raise UsageError("For Kubeflow set kubeflow.gpus in the configuration, not --gpu.")
    compile_pipeline(run.config, name=run.name, image=run.image, file=folder / "pipeline.yaml")
    if ignored := without_effect(run.config):
        print(f"Without effect on Kubeflow Pipelines: {', '.join(ignored)}.")


def _install(run: ScheduledRun, form: str, folder: Path) -> str:
    # Kubeflow's cron has seconds before the five fields.
    when = f"0 {run.recurrence.kubernetes}"
    files = shlex.join(str(folder / file) for file in file_names(form, run.name))
    return _INSTALL[form].format(files=files, name=run.name, when=when)


_INSTALL: Final = {
    "cron": "crontab -l 2>/dev/null | cat - {files} | crontab -",
    "systemd": (
        "mkdir -p ~/.config/systemd/user && cp {files} ~/.config/systemd/user/ && "
        "systemctl --user daemon-reload && systemctl --user enable --now {name}.timer && "
        "loginctl enable-linger    # or the timer stops when you log out"
    ),
    "kubernetes": "kubectl apply --filename {files}",
    "airflow": 'cp {files} "$AIRFLOW_HOME"/dags/',
    "kubeflow": (
        "kfp recurring-run create --experiment-name {name} --job-name {name} --cron-expression "
        '"{when}" --max-concurrency 1 --no-catchup --pipeline-package-path {files}'
    ),
}
_NO_IMAGE: Final = "{} needs --image, the name of Graft's image in your registry."
