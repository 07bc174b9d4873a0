"""What Kubeflow Pipelines is asked for: the section `kubeflow`."""

from typing import Annotated

from pydantic import Field, field_validator

from models.settings import Section


class KubeflowSettings(Section):
    """What `graft schedule --as kubeflow` writes; no run on this machine reads it."""

    pipeline_root: str = ""
    """Bucket and folder that hold what stages hand to one another, such as gs://bucket/graft."""
    cpus: Annotated[float, Field(gt=0.0, le=1024.0)] = 4.0
    """Processors for the search and for the training."""
    memory_gigabytes: Annotated[float, Field(gt=0.0, le=65536.0)] = 16.0
    """Memory for the search and for the training."""
    gpus: Annotated[int, Field(ge=0, le=64)] = 0
    """GPUs for the search and for the training."""
    gpu_type: str = "nvidia.com/gpu"
    """What a GPU is called: nvidia.com/gpu on Kubernetes, such as NVIDIA_TESLA_T4 on Vertex AI."""

    @field_validator("pipeline_root")
    @classmethod
    def _bucket(cls, value: str) -> str:
        scheme, found, rest = value.partition("://")
        if value and not (found and rest and scheme in SCHEMES):
            raise ValueError(f"{', '.join(f'{each}://bucket/folder' for each in SCHEMES)}")
        return value


SCHEMES = ("gs", "s3", "minio")
"""Of the buckets that Kubeflow Pipelines shows to a container as the folder of that name."""
