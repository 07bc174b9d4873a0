"""FeatureExtractor: embeddings of every split, computed once and kept."""

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import BackboneChoice, Embeddings
from components.feature_extractor.executor import Executor


class FeatureExtractorSpec(ComponentSpec):
    """What FeatureExtractor consumes and produces."""

    PARAMETERS = {
        "backbone": ExecutionParameter(type=str, optional=True),
        "weights": ExecutionParameter(type=str, optional=True),
        "image_size": ExecutionParameter(type=int, optional=True),
        "resize": ExecutionParameter(type=str),
        "cache_dir": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "choice": ChannelParameter(type=BackboneChoice, optional=True),
    }
    OUTPUTS = {"embeddings": ChannelParameter(type=Embeddings)}


class FeatureExtractor(base_component.BaseComponent):
    """Runs the frozen backbone over the images that no earlier run has embedded.

    Tuning, near-duplicates, task similarity and drift all read its artifact, so that the expensive
    pass is paid once. Its format is in `models.embedding.artifact`.
    """

    SPEC_CLASS = FeatureExtractorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        *,
        choice: BaseChannel | None = None,
        backbone: str | None = None,
        weights: str | None = None,
        image_size: int | None = None,
        resize: str,
        cache_dir: str,
        code: str,
    ) -> None:
        """Builds the node.

        Args:
            examples: of ImageExampleGen.
            choice: of BackboneChooser; stands for the next three.
            backbone: a name of `models.backbones.available_backbones`.
            weights: "imagenet", "none" or the path of a file saved by Keras.
            image_size: side in pixels; None for the backbone's own.
            resize: "stretch", "pad" or "crop".
            cache_dir: keeps embeddings from run to run; decides the cost, never the result.
            code: digest of the code that this component depends on; part of the cache key.
        """
        super().__init__(
            FeatureExtractorSpec(
                examples=examples,
                choice=choice,
                backbone=backbone,
                weights=weights,
                image_size=image_size,
                resize=resize,
                cache_dir=cache_dir,
                code=code,
                embeddings=Channel(type=Embeddings),
            )
        )
