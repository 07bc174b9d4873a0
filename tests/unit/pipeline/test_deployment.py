"""The files for the official image."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from models.errors import UsageError
from pipeline.deployment.files import deployment_files, write_deployment

ROOT = Path(__file__).parents[3]
EXAMPLE = "../graft-workspace/serving/graft"


def test_the_files_in_the_repository_are_those_that_are_written() -> None:
    for name, text in deployment_files("graft", EXAMPLE, gpu=False).items():
        assert (ROOT / "deploy" / name).read_text("utf-8") == text


@pytest.mark.parametrize("gpu", [False, True])
def test_the_server_can_read_its_configuration(gpu: bool) -> None:
    files = deployment_files("Birds.2", "/srv/birds", gpu)
    config = text_format.Parse(files["models.config"], model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path) == ("Birds.2", "/models/Birds.2")
    assert "enable: true" in files["monitoring.config"]
    assert "max_batch_size { value: 32 }" in files["batching.config"]


@pytest.mark.parametrize("gpu", [False, True])
def test_compose_listens_on_this_machine_alone(gpu: bool) -> None:
    compose = yaml.safe_load(deployment_files("birds", "/srv/birds", gpu)["compose.yaml"])
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert service["image"].endswith("-gpu") == gpu
        assert ("deploy" in service) == gpu


@pytest.mark.parametrize("gpu", [False, True])
def test_the_manifests_fit_together(gpu: bool, tmp_path: Path) -> None:
    text = deployment_files("Birds.2", "/srv/birds", gpu)["kubernetes.yaml"]
    objects = {found["kind"]: found for found in yaml.safe_load_all(text)}
    pod = objects["Deployment"]["spec"]["template"]
    assert objects["Service"]["spec"]["selector"] == pod["metadata"]["labels"]
    assert objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == {"app": "birds-2"}
    assert objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "birds-2"
    container = pod["spec"]["containers"][0]
    assert ("nvidia.com/gpu" in container["resources"]["limits"]) == gpu
    names = {port["name"] for port in container["ports"]}
    assert {port["targetPort"] for port in objects["Service"]["spec"]["ports"]} == names


@pytest.mark.parametrize(
    ("model", "app"),
    [("null", "null"), ("On", "on"), ("2", "model-2"), ("2.Birds", "model-2-birds")],
)
def test_a_model_of_any_name_has_names_that_compose_and_kubernetes_take(
    model: str, app: str
) -> None:
    files = deployment_files(model, "/srv/birds", gpu=False)
    assert yaml.safe_load(files["compose.yaml"])["name"] == app
    found = list(yaml.safe_load_all(files["kubernetes.yaml"]))
    assert {each["metadata"]["name"] for each in found} == {app, f"{app}-models"}
    assert all(each["metadata"]["labels"] == {"app": app} for each in found)


@pytest.mark.skipif(
    shutil.which("kubernetes-validate") is None, reason="kubernetes-validate is not installed"
)
def test_the_manifests_are_valid() -> None:
    manifests = str(ROOT / "deploy" / "kubernetes.yaml")
    subprocess.run(["kubernetes-validate", "--strict", "-k", "1.34", manifests], check=True)


def test_they_are_written_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_deployment(tmp_path / "a d", "birds", Path("/srv/birds"), gpu=False) == 0
    assert {path.name for path in (tmp_path / "a d").iterdir()} == {
        "batching.config", "compose.yaml", "kubernetes.yaml", "models.config", "monitoring.config"
    }  # fmt: skip
    told = shlex.split(capsys.readouterr().out.partition("Try:")[2])
    assert told[told.index("--file") + 1] == str(tmp_path / "a d" / "compose.yaml")


@pytest.mark.parametrize("name", ["", "-a", "a b", 'a"', "a/b", "x" * 80])
def test_a_name_that_breaks_the_files_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="Expected a model name"):
        deployment_files(name, "/srv/m", gpu=False)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = {
        tmp_path / "file": r"/file cannot be written: it is a file\. Name another folder",
        tmp_path / "file" / "d": r"/file/d cannot be written: .*\. Name another folder",
    }
    for folder, words in said.items():
        with pytest.raises(UsageError, match=words):
            write_deployment(folder, "birds", Path("/srv/birds"), gpu=False)
