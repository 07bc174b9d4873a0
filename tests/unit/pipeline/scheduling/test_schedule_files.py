"""Files for schedulers."""

import ast
import contextlib
import shlex
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import jinja2
import pytest
import yaml

from models.errors import UsageError
from pipeline.config_file import load_config
from pipeline.needed.needed_command import NOT_NEEDED
from pipeline.scheduling.quoting import cron_line, templated, unit_command
from pipeline.scheduling.recurrence import parse_every
from pipeline.scheduling.schedule_files import (
    FORMS,
    ScheduledRun,
    file_names,
    schedule_files,
    write_schedule,
)

VARIABLES = (
    "metadata: {uri: $RECORDS}\nnotifications: {webhook: $CHAT}\ntracking: {mlflow: $CHAT}\n"
)


def scheduled(folder: Path, every: str = "day at 02:30", more: str = "", **options) -> ScheduledRun:
    file = folder / "nightly 100% $HOME.yaml"
    file.write_text("data: {path: 'photos/{YYYY}-{MM}-{DD}'}\nworkspace: /srv/graft\n" + more)
    return ScheduledRun(load_config(file, {}), file, parse_every(every), **options)


def test_cron_gets_a_line_that_a_shell_reads_back(tmp_path: Path) -> None:
    text = schedule_files(scheduled(tmp_path), "cron", tmp_path)["graft.cron"]
    line = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(line) == 1
    fields = line[0].split(" ", 5)
    assert fields[:5] == ["30", "2", "*", "*", "*"]
    # cron turns \% into % before the shell sees it.
    words = shlex.split(fields[5].replace(r"\%", "%"))
    assert words[:3] == ["cd", str(Path.cwd()), "&&"]
    assert words[4:7] == ["run", "--config", str(tmp_path / "nightly 100% $HOME.yaml")]


def test_a_crontab_names_the_variables_that_it_has_to_set(tmp_path: Path) -> None:
    text = schedule_files(scheduled(tmp_path, more=VARIABLES), "cron", tmp_path)["graft.cron"]
    lines = text.splitlines()
    told = [line.partition("$")[2].partition(":")[0] for line in lines if "reads $" in line]
    assert told == ["RECORDS", "CHAT"]
    assert [line for line in lines if not line.startswith("#")] == lines[-1:]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize(("timezone", "more"), [("", ""), ("Europe/Berlin", VARIABLES)])
def test_systemd_accepts_its_units(timezone: str, more: str, tmp_path: Path) -> None:
    write_schedule(scheduled(tmp_path, timezone=timezone, more=more), "systemd", tmp_path)
    units = [str(tmp_path / name) for name in FORMS["systemd"]]
    command = ["systemd-analyze", "verify", *units]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "graft.service").read_text()
    assert "100%% $$HOME" in text
    file = f"EnvironmentFile={tmp_path}/nightly 100%% $HOME.env"
    assert [line for line in text.splitlines() if line.startswith("Env")] == [file] * bool(more)


@pytest.mark.parametrize(
    "image", ["graft", "graft:1.0", "localhost:5000/graft", "Host.example:5000/a/b-c__d.e:v1_2"]
)
def test_an_image_has_the_name_of_one(image: str, tmp_path: Path) -> None:
    for good in (image, f"{image}@sha256:{'0f' * 32}"):
        assert scheduled(tmp_path, image=good).image == good
    for bad in ("localhost:5000/Team", f"{image} x", f"{image}:", f" {image}", f"{image}@sha256:0"):
        with pytest.raises(UsageError, match="image's name"):
            scheduled(tmp_path, image=bad)


def test_kubernetes_runs_what_is_configured_where_it_is_configured(tmp_path: Path) -> None:
    run = scheduled(tmp_path, "sunday", image="registry.example/graft:1", gpu=True)
    text = schedule_files(run, "kubernetes", tmp_path)["cronjob.yaml"]
    objects = {found["kind"]: found for found in yaml.safe_load_all(text)}
    inside = tmp_path / "inside.yaml"
    inside.write_text(objects["ConfigMap"]["data"]["graft.yaml"])
    assert load_config(inside, {}) == run.config
    job = objects["CronJob"]["spec"]
    assert (job["schedule"], job["timeZone"]) == ("0 0 * * 0", "Etc/UTC")
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts["workspace"] == container["workingDir"] == "/srv/graft"
    assert mounts["data"] == str(tmp_path / "photos")
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert set(mounts) == {volume["name"] for volume in pod["volumes"]}


def test_kubernetes_is_told_what_its_volumes_lack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "serving: {directory: /srv/models}\nmodel: {weights: /srv/graft/own.keras}\n"
    more += "knowledge: {paths: ['gs://bucket/a', /srv/team], share: /srv/team}\n"
    run = scheduled(tmp_path, image="graft:1", more=more)
    write_schedule(run, "kubernetes", tmp_path)
    missing = ["serving.directory: /srv/models", "knowledge: /srv/team"]
    assert capsys.readouterr().out.splitlines()[-2:] == [f"  {each}" for each in missing]
    text = (tmp_path / "cronjob.yaml").read_text()
    assert [line[4:] for line in text.splitlines() if line.startswith("#   ")] == missing
    whole = schedule_files(scheduled(tmp_path, image="graft:1"), "kubernetes", tmp_path)
    assert "#   " not in whole["cronjob.yaml"]


def test_kubernetes_mounts_no_root(tmp_path: Path) -> None:
    run = scheduled(tmp_path, image="graft:1")
    data = run.config.data.model_copy(update={"path": "/photos-{DATE}"})
    spread = replace(run, config=run.config.model_copy(update={"data": data}))
    with pytest.raises(UsageError, match="may not be /"):
        schedule_files(spread, "kubernetes", tmp_path)


def test_kubernetes_mounts_no_data_that_lies_in_a_bucket(tmp_path: Path) -> None:
    file = tmp_path / "graft.yaml"
    file.write_text("data: {path: 's3://bucket/photos/{DATE}'}\nworkspace: /srv/graft\n")
    run = ScheduledRun(load_config(file, {}), file, parse_every("6h"), image="graft:1")
    text = schedule_files(run, "kubernetes", tmp_path)["cronjob.yaml"]
    config, _, job = list(yaml.safe_load_all(text))
    assert "s3://bucket/photos/{DATE}" in config["data"]["graft.yaml"]
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert [each["name"] for each in pod["volumes"]] == ["config", "workspace"]
    mounts = pod["containers"][0]["volumeMounts"]
    assert [each["name"] for each in mounts] == ["config", "workspace"]
    assert "EXTRAS=s3" in text
    assert "have to be mounted" not in text


def test_kubernetes_gives_a_run_its_variables_from_a_secret(tmp_path: Path) -> None:
    run = scheduled(tmp_path, image="graft:1", more=VARIABLES)
    text = schedule_files(run, "kubernetes", tmp_path)["cronjob.yaml"]
    (job,) = [each for each in yaml.safe_load_all(text) if each["kind"] == "CronJob"]
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    given = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"]}
    assert given == {name: {"name": "graft-variables", "key": name} for name in ("RECORDS", "CHAT")}
    assert "--from-literal=RECORDS=... --from-literal=CHAT=..." in text


@pytest.mark.parametrize("name", ["null", "on", "yes", "y"])
def test_a_name_that_yaml_takes_for_another_value_stays_a_text(name: str, tmp_path: Path) -> None:
    more = f"metadata: {{uri: ${name.upper()}}}\n"
    run = scheduled(tmp_path, image="graft:1", more=more, name=name)
    text = schedule_files(run, "kubernetes", tmp_path)["cronjob.yaml"]
    found = list(yaml.safe_load_all(text))
    assert [each["metadata"]["labels"] for each in found] == [{"app": name}] * 3
    job = found[-1]
    assert job["metadata"]["name"] == name
    (variable,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert variable["name"] == variable["valueFrom"]["secretKeyRef"]["key"] == name.upper()


@pytest.mark.skipif(
    shutil.which("kubernetes-validate") is None, reason="kubernetes-validate is not installed"
)
@pytest.mark.parametrize("more", ["", VARIABLES])
def test_the_manifest_is_valid(more: str, tmp_path: Path) -> None:
    write_schedule(scheduled(tmp_path, image="graft:1", more=more), "kubernetes", tmp_path)
    command = ["kubernetes-validate", "--strict", "-k", "1.34", str(tmp_path / "cronjob.yaml")]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize(
    ("form", "options", "says"),
    [
        ("cron", {"timezone": "Europe/Berlin"}, "one time zone"),
        ("systemd", {"timezone": "Mars/Base"}, "IANA"),
        ("kubernetes", {}, "--image"),
        ("kubernetes", {"image": "graft", "name": "Graft_1"}, "lower-case"),
    ],
)
def test_what_a_scheduler_cannot_do_is_refused(form, options, says, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        schedule_files(scheduled(tmp_path, **options), form, tmp_path)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "--image"),
        ({"image": "graft", "timezone": "Europe/Berlin"}, "UTC"),
        ({"image": "graft", "gpu": True}, r"kubeflow\.gpus"),
        ({"image": "graft"}, r"kubeflow\.pipeline_root"),
    ],
)
def test_what_kubeflow_cannot_do_is_refused(options, says, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        write_schedule(scheduled(tmp_path, **options), "kubeflow", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_airflow_tells_which_variables_its_workers_need(tmp_path: Path) -> None:
    text = schedule_files(scheduled(tmp_path, more=VARIABLES), "airflow", tmp_path)["graft_dag.py"]
    assert "The configuration reads $RECORDS, $CHAT" in (ast.get_docstring(ast.parse(text)) or "")


def test_airflow_makes_up_for_days_since_the_one_that_is_named(tmp_path: Path) -> None:
    run = scheduled(tmp_path, since=date(2026, 11, 3))
    text = schedule_files(run, "airflow", tmp_path)["graft_dag.py"]
    assert "START = datetime(2026, 11, 3, " in text


def test_what_makes_up_for_no_days_takes_no_first_one(tmp_path: Path) -> None:
    run = scheduled(tmp_path, since=date(2026, 11, 3))
    with pytest.raises(UsageError, match="--since"):
        write_schedule(run, "cron", tmp_path / "out")
    file = tmp_path / "graft.yaml"
    file.write_text("data: {path: photos}\n")
    undated = ScheduledRun(load_config(file, {}), file, parse_every("day"), since=date(2026, 11, 3))
    with pytest.raises(UsageError, match="--since"):
        write_schedule(undated, "airflow", tmp_path / "out")


def test_a_configuration_without_data_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "graft.yaml"
    file.write_text("seed: 1\n")
    with pytest.raises(UsageError, match=r"data\.path"):
        ScheduledRun(load_config(file, {}), file, parse_every("day"))


def test_a_line_end_never_gets_into_a_crontab_or_a_unit() -> None:
    with pytest.raises(UsageError, match="line end"):
        cron_line(Path("/srv/a\nb"), ["graft"])
    with pytest.raises(UsageError, match="line end"):
        unit_command(["graft", "a\nExecStart=/bin/true"])


def test_airflow_gets_a_task_for_each_stage_in_an_order_that_can_run(tmp_path: Path) -> None:
    run = scheduled(tmp_path, name="photos")
    text = schedule_files(run, "airflow", tmp_path)["photos_dag.py"]
    # What the file says before it comes to Airflow, which is not installed beside TFX.
    names = constants_of(text)
    stages = names["STAGES"]
    assert {"ImageExampleGen", "Tuner", "Trainer", "Pusher"} <= set(stages)
    seen: set[str] = set()
    for stage, waits in stages.items():
        assert set(waits) <= seen
        seen.add(stage)
    assert stages["Trainer"] == ("FeatureExtractor",)
    assert "Baseline" not in stages
    # A run that makes up for a day must not see the days after it.
    day = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"
    assert f'--set "data.spans=newest until {day}"' in names["OPTIONS"]
    config = str(run.config_file.absolute())
    assert shlex.split(names["OPTIONS"])[:2] == ["--config", config]
    assert "catchup=True" in text
    assert names["NOT_NEEDED"] == NOT_NEEDED


def constants_of(text: str) -> dict:
    """The literal constants at the top of a module."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            with contextlib.suppress(ValueError):
                found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


@pytest.mark.parametrize("name", ["a {{ b }}", "a {% b", "a {# b"])
def test_airflow_leaves_braces_in_a_path_alone(name: str) -> None:
    command = templated(shlex.join(["graft", name]))
    assert shlex.split(jinja2.Template(command).render()) == ["graft", name]
    with pytest.raises(UsageError, match="endraw"):
        templated("{% endraw %}{{ secret }}")


@pytest.mark.parametrize("form", ["cron", "systemd", "kubernetes", "airflow"])
def test_the_command_to_install_finds_files_in_any_folder(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "night runs; $HOME"
    image = {"image": "graft:1"} if form == "kubernetes" else {}
    write_schedule(scheduled(tmp_path, **image), form, folder)
    words = shlex.split(capsys.readouterr().out.partition("To install:\n")[2])
    assert {str(folder / name) for name in FORMS[form]} <= set(words)


@pytest.mark.parametrize("form", ["cron", "systemd", "airflow"])
def test_two_schedules_can_be_installed_beside_one_another(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tuple(file_names(form, "graft")) == FORMS[form]
    for name in ("shoes", "hats"):
        write_schedule(scheduled(tmp_path, name=name), form, tmp_path / "schedule")
    written = {path.name for path in (tmp_path / "schedule").iterdir()}
    assert written == {*file_names(form, "shoes"), *file_names(form, "hats")}
    assert len(written) == 2 * len(FORMS[form])
    command = capsys.readouterr().out.rpartition("To install:\n")[2]
    assert "graft." not in command
    assert form != "systemd" or "enable --now hats.timer" in command


@pytest.mark.parametrize("form", ["cron", "kubernetes"])
def test_a_line_end_in_the_name_of_their_folder_gets_into_no_file(
    form: str, tmp_path: Path
) -> None:
    run = scheduled(tmp_path, image="graft:1")
    with pytest.raises(UsageError, match="no line end"):
        schedule_files(run, form, tmp_path / "a\n* * * * * rm -r b")


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/srv/photos.v2", "/srv/photos.v2"),
        ("/srv/photos.v2/{SPAN}/images", "/srv/photos.v2"),
        ("/srv/photos.v2/labels.csv", "/srv/photos.v2"),
    ],
)
def test_kubernetes_mounts_the_folder_of_the_data_where_its_name_has_a_dot(
    path: str, root: str, tmp_path: Path
) -> None:
    run = scheduled(tmp_path, image="graft:1")
    path, root = f"{tmp_path}{path}", f"{tmp_path}{root}"
    (tmp_path / "srv" / "photos.v2").mkdir(parents=True)
    data = run.config.data.model_copy(update={"path": path})
    moved = replace(run, config=run.config.model_copy(update={"data": data}))
    text = schedule_files(moved, "kubernetes", tmp_path)["cronjob.yaml"]
    assert f'{{name: data, mountPath: "{root}", readOnly: true}}' in text


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"/file cannot be written: .*\. Name another .* --out"):
        write_schedule(scheduled(tmp_path), "cron", tmp_path / "file")
