"""UnlabelledImages: images without labels, for strategies that learn from them."""

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts

from components.artifact_types import Quarantine
from components.typed_component import Input, Output, TypedComponent
from components.unlabelled_images.executor import Executor


class UnlabelledImages(TypedComponent):
    """Reads a folder as ingest reads the labelled one: checked, converted, accounted for.

    The Examples have one split, `unlabelled`, with empty labels; the Quarantine has the files that
    ingest writes, of which `ingest.json` holds the numbers that add up alone. An image with the
    bytes of a labelled one is passed over, as it may lie in the test split.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    labelled: Input[standard_artifacts.Examples]
    """Of ImageExampleGen."""

    key: str
    """Of the configuration that names the folder, for messages."""
    path: str
    """The folder."""
    contents: str
    """Digest of what lies there, `unlabelled_folder.UnlabelledFolder.fingerprint`; part of the
    cache key."""
    least: int
    """Images without those that are labelled too; fewer are refused."""
    settings: str
    """`IngestSettings` as JSON."""
    seed: int
    """Of the order."""
    cache_dir: str
    """Where digests of the files are remembered; does not change the output."""
    code: str

    examples: Output[standard_artifacts.Examples]
    quarantine: Output[Quarantine]
