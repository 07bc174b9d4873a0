"""Compiles the pipeline for Kubeflow Pipelines and Vertex AI, by TFX's own compiler."""

import os
from pathlib import Path
from typing import Any, Final

from models.errors import UsageError
from pipeline.config import Config
from pipeline.fetched_paths import is_fetched
from pipeline.terminal.quiet import output_to

_TRAINING: Final = ("Tuner", "Trainer")
"""Nodes that get what the section `kubeflow` asks for."""


def compile_pipeline(config: Config, *, name: str, image: str, file: Path) -> None:
    """Writes the compiled pipeline.

    Nothing comes from a cache in its runs: Kubeflow knows a folder of images by its path alone, and
    would miss a new one.

    Args:
        config: of the runs; its paths are those inside the containers.
        name: of the pipeline.
        image: of Graft, with the extra `kubeflow`.
        file: to write, a .yaml.

    Raises:
        UsageError: the extra is not installed, no bucket is configured, or what makes the model is
            not there on Kubeflow.
    """
    if not config.kubeflow.pipeline_root:
        raise UsageError(
            "Kubeflow needs kubeflow.pipeline_root, a bucket and folder such as gs://bucket/graft, "
            "in the configuration."
        )
    if config.model.chain:
        raise UsageError(
            "On Kubeflow Pipelines there is no model.chain, as its links are runs of their own. "
            "Train on the related images first, `graft export --format backbone`, and name what it "
            "writes as model.weights."
        )
    if is_fetched(config):
        raise UsageError(
            "On Kubeflow Pipelines images are read from a folder of the containers. Mount the "
            "bucket (gcsfuse, mount-s3), and name the folder as data.path."
        )
    if config.data.replay:
        raise UsageError(
            "On Kubeflow Pipelines there is no data.replay, as the images of the last blessed "
            "model are found in the metadata of a workspace alone. Set data.replay: 0, and let "
            "data.spans name the older spans too."
        )
    # TFX greets whoever imports it.
    with output_to(Path(os.devnull)):
        try:
            from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner
        except ImportError:
            raise UsageError(
                "Kubeflow needs the extra `kubeflow`: pip install 'graft[kubeflow]'."
            ) from None
        runner = kubeflow_v2_dag_runner.KubeflowV2DagRunner(
            config=kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
                display_name=name,
                default_image=image,
                default_commands=["python", "-m", step_module()],
                use_pipeline_spec_2_1=True,
            ),
            output_dir=str(file.parent),
            output_filename=file.name,
        )
        runner.run(_pipeline(config, name), write_out=True)


def without_effect(config: Config) -> list[str]:
    """The keys that are set and that no step on Kubeflow Pipelines reads.

    Args:
        config: of the runs.
    """
    asked = {
        "limits.minutes": config.limits.minutes is not None,
        "metadata.uri": bool(config.metadata.uri),
        "notifications": config.notifications.is_set,
        "retention": config.retention.is_set,
        "tracking.mlflow": bool(config.tracking.mlflow),
    }
    return [key for key, is_set in asked.items() if is_set]


def step_module() -> str:
    """The module that a container runs, by the name that it has here."""
    return f"{__package__}.step"


def _pipeline(config: Config, name: str) -> Any:
    from tfx.orchestration import pipeline as tfx_pipeline

    from components.code_fingerprint import code_fingerprint
    from components.history_keeper.component import HistoryKeeper
    from pipeline.dag import pipeline_nodes
    from pipeline.kubeflow.folder_lookups import FolderLookups, kept_histories
    from pipeline.node_names import SEARCH

    nodes = pipeline_nodes(config, FolderLookups())
    by_id = {node.id: node for node in nodes}
    keeper = HistoryKeeper(
        history=by_id[SEARCH].outputs["history"],
        folder=kept_histories(config),
        code=code_fingerprint("components.history_keeper"),
    )
    for name_of_node in _TRAINING:
        by_id[name_of_node].with_platform_config(_resources(config))
    return tfx_pipeline.Pipeline(
        pipeline_name=name,
        pipeline_root=config.kubeflow.pipeline_root,
        components=[*nodes, keeper],
        enable_cache=False,
        beam_pipeline_args=config.beam.arguments,
    )


def _resources(config: Config) -> Any:
    from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig

    spec = PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec
    asked = config.kubeflow
    resources = spec(cpu_limit=asked.cpus, memory_limit=asked.memory_gigabytes)
    if asked.gpus:
        resources.accelerator.CopyFrom(
            spec.AcceleratorConfig(type=asked.gpu_type, count=asked.gpus)
        )
    return resources
