"""`ImageExampleGen`: the first stage of the pipeline."""

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.types import standard_artifacts

from components.artifact_types import Quarantine
from components.example_gen.driver import ImageExampleGenDriver
from components.example_gen.executor import ImageExampleGenExecutor
from components.typed_component import Output, TypedComponent


class ImageExampleGen(TypedComponent, BaseBeamComponent):
    """Turns labelled images into shuffled `tf.Example`s in three splits.

    Consumes a folder, a manifest or TFRecords (`components.example_gen.sources`).

    Produces:
        examples: `Examples` with the splits train, validation and test, features as in
            `models.data.example_schema`, uncompressed TFRecords; custom property
            `input_fingerprint`.
        quarantine: `Quarantine`, what was refused and what was taken in.
    """

    EXECUTOR_SPEC = BeamExecutorSpec(ImageExampleGenExecutor)
    DRIVER_CLASS = ImageExampleGenDriver

    path: str
    """Folder, manifest or TFRecord file; may hold `{SPAN}` and `{VERSION}`."""
    settings: str
    """`IngestSettings` as JSON."""
    seed: int
    """Of the split and the order."""
    columns: str
    """JSON list of columns of a manifest, or features of records, that the examples carry."""
    classes: str | None
    """JSON list of the classes that images are replayed of; None or null for all."""
    cache_dir: str
    """Where digests of the files are remembered; does not change the output."""
    code: str

    examples: Output[standard_artifacts.Examples]
    quarantine: Output[Quarantine]
