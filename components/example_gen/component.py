"""`ImageExampleGen`: the first stage of the pipeline."""

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts
from tfx.types.channel_utils import as_channel

from components.artifact_types import Quarantine
from components.example_gen.driver import ImageExampleGenDriver
from components.example_gen.executor import ImageExampleGenExecutor


class ImageExampleGenSpec(component_spec.ComponentSpec):
    """Parameters and outputs of `ImageExampleGen`."""

    PARAMETERS = {
        "path": component_spec.ExecutionParameter(type=str),
        "settings": component_spec.ExecutionParameter(type=str),
        "seed": component_spec.ExecutionParameter(type=int),
        "cache_dir": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: dict[str, component_spec.ChannelParameter] = {}
    OUTPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "quarantine": component_spec.ChannelParameter(type=Quarantine),
    }


class ImageExampleGen(base_beam_component.BaseBeamComponent):
    """Turns labelled images into shuffled `tf.Example`s in three splits.

    Consumes a folder, a manifest or TFRecords (`components.example_gen.sources`).

    Produces:
        examples: `Examples` with the splits train, validation and test, features as in
            `models.data.example_schema`, uncompressed TFRecords; custom property
            `input_fingerprint`.
        quarantine: `Quarantine`, what was refused and what was taken in.
    """

    SPEC_CLASS = ImageExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(ImageExampleGenExecutor)
    DRIVER_CLASS = ImageExampleGenDriver

    def __init__(
        self,
        path: str,
        settings: str,
        seed: int,
        cache_dir: str,
        code: str,
    ) -> None:
        """Declares the stage.

        Args:
            path: folder, manifest or TFRecord file; may hold `{SPAN}` and `{VERSION}`.
            settings: `IngestSettings` as JSON.
            seed: of the split and the order.
            cache_dir: where digests of the files are remembered; does not change the output.
            code: digest of the code, for the cache key.
        """
        super().__init__(
            spec=ImageExampleGenSpec(
                path=path,
                settings=settings,
                seed=seed,
                cache_dir=cache_dir,
                code=code,
                examples=as_channel([standard_artifacts.Examples()]),
                quarantine=as_channel([Quarantine()]),
            )
        )
