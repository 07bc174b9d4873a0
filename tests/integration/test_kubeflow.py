"""The pipeline for Kubeflow Pipelines: compiled, read by kfp, and each step of it run here."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from components.artifact_names import INGEST_FILE, SERVING_FOLDER, VERDICT_FILE
from pipeline.config import Config
from pipeline.config_file import load_config
from pipeline.kubeflow.compile import compile_pipeline, step_module
from pipeline.kubeflow.step import run_step

pytest.importorskip("kfp", reason="the extra kubeflow is not installed")

IMAGE = "registry.example/graft:1"


def configuration(folder: Path, data: Path, **more: Any) -> Config:
    keys = {
        "workspace": str(folder / "work"),
        "data.path": str(data),
        "model.image_size": 32,
        "tuning.budget": 0,
        "training.strategy": "feature_extraction",
        "evaluation.min_accuracy": 0.2,
        "evaluation.max_drop_below_probe": 1.0,
        "evaluation.max_accuracy_drop": 1.0,
        "kubeflow.pipeline_root": "gs://bucket/graft",
    }
    return load_config(None, keys | more)


def compiled(folder: Path, config: Config) -> dict[str, Any]:
    file = folder / "pipeline.yaml"
    compile_pipeline(config, name="photos", image=IMAGE, file=file)
    spec: dict[str, Any] = yaml.safe_load(file.read_text())
    return spec


def test_it_compiles_and_kfp_reads_it(tmp_path: Path) -> None:
    import kfp.components

    more: dict[str, Any] = {"kubeflow.cpus": 8, "kubeflow.memory_gigabytes": 30, "kubeflow.gpus": 2}
    more["serving.publish"] = "memory://bucket/models"
    spec = compiled(tmp_path, configuration(tmp_path, Path("/gcs/photos"), **more))
    read = kfp.components.load_component_from_file(str(tmp_path / "pipeline.yaml"))
    assert read.name == "photos"
    executors = spec["deploymentSpec"]["executors"]
    tasks = spec["root"]["dag"]["tasks"]
    assert {"ImageExampleGen", "Tuner", "Trainer", "Baseline", "Pusher", "Publisher"} <= set(tasks)
    for name, task in tasks.items():
        container = executors[spec["components"][name]["executorLabel"]]["container"]
        assert container["image"] == IMAGE
        assert container["command"] == ["python", "-m", step_module()]
        assert not task.get("cachingOptions", {}).get("enableCache", False)
        resources = container.get("resources", {})
        if name in ("Tuner", "Trainer"):
            assert (resources["cpuLimit"], resources["memoryLimit"]) == (8, 30)
            assert resources["accelerator"] == {"type": "nvidia.com/gpu", "count": "2"}
        else:
            assert not resources


class Cluster:
    """Does on this machine what a cluster does with a compiled pipeline, without its containers."""

    def __init__(self, spec: dict[str, Any], root: Path) -> None:
        self._spec = spec
        self._root = root
        self._made: dict[tuple[str, str], dict[str, Any]] = {}

    def run(self) -> None:
        tasks = self._spec["root"]["dag"]["tasks"]
        done: set[str] = set()
        while waiting := [name for name in tasks if name not in done]:
            name = next(
                name for name in waiting if set(tasks[name].get("dependentTasks", [])) <= done
            )
            self._run_task(name, tasks[name])
            done.add(name)

    def output(self, task: str, key: str) -> Path:
        return Path(self._made[task, key]["uri"])

    def _run_task(self, name: str, task: dict[str, Any]) -> None:
        component = self._spec["components"][name]
        inputs = {}
        for key, source in task.get("inputs", {}).get("artifacts", {}).items():
            of = source["taskOutputArtifact"]
            made = self._made[of["producerTask"], of["outputArtifactKey"]]
            inputs[key] = {"artifacts": [made]}
        parameters = {
            key: value["runtimeValue"]["constant"]
            for key, value in task.get("inputs", {}).get("parameters", {}).items()
        }
        outputs = {
            key: {
                "artifacts": [
                    {
                        "name": f"projects/p/artifacts/{name}-{key}",
                        "type": declared["artifactType"],
                        "uri": str(self._root / name / key),
                    }
                ]
            }
            for key, declared in component.get("outputDefinitions", {}).get("artifacts", {}).items()
        }
        output_file = self._root / name / "executor_output.json"
        invocation = {
            "inputs": {"artifacts": inputs, "parameterValues": parameters},
            "outputs": {"artifacts": outputs, "outputFile": str(output_file)},
        }
        container = self._spec["deploymentSpec"]["executors"][component["executorLabel"]]
        arguments = [
            json.dumps(invocation) if argument == "{{$}}" else argument
            for argument in container["container"]["args"]
        ]
        run_step(arguments)
        told = json.loads(output_file.read_text()).get("artifacts", {})
        for key, declared in outputs.items():
            self._made[name, key] = declared["artifacts"][0] | told[key]["artifacts"][0]


@pytest.mark.slow
def test_its_steps_push_a_model_and_the_next_run_compares_with_it(
    digits_folder: Path, tmp_path: Path
) -> None:
    unlabelled = tmp_path / "more"
    config = configuration(tmp_path, digits_folder, **{"data.unlabelled": str(unlabelled)})
    # The machine that compiles does not see what the containers do.
    spec = compiled(tmp_path, config)
    unlabelled.mkdir()
    for file in sorted(digits_folder.glob("*/*"))[:9]:
        Image.open(file).rotate(5).save(unlabelled / file.name)
    for number in (1, 2):
        cluster = Cluster(spec, tmp_path / f"run {number}")
        cluster.run()
        baseline = cluster.output("Baseline", "model") / SERVING_FOLDER
        assert baseline.is_dir() == (number == 2)
        taken = json.loads(
            (cluster.output("UnlabelledImages", "quarantine") / INGEST_FILE).read_text()
        )
        assert taken["images"] == 9
        verdict = json.loads((cluster.output("Judge", "blessing") / VERDICT_FILE).read_text())
        assert verdict["blessed"]
        (drop,) = (each for each in verdict["checks"] if each["name"] == "max_accuracy_drop")
        assert drop["words"].startswith("No earlier") == (number == 1), drop
    assert (config.serving_directory / "1").is_dir()
