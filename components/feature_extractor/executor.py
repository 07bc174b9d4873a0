"""Builds the backbone and writes the Embeddings artifact."""

from pathlib import Path

from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_types import Artifacts, Params
from components.beam_embedding.run import embedding_on_workers
from models.backbone_choice.backbone_choice import read_choice
from models.backbone_choice.model_settings import ModelSettings
from models.backbones import build_backbone
from models.data.image_decoding import ImageSpec
from models.embedding.extraction import extract


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes the Embeddings artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.feature_extractor.component`.

        Raises:
            UsageError: the backbone cannot be built or its weights cannot be had.
            BadDataError: an image cannot be decoded.
            GraftError: a Beam worker cannot be reached, was lost or is not like the run.
        """
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        embeddings = artifact_utils.get_single_instance(output_dict["embeddings"])
        settings = ModelSettings.from_json(exec_properties["settings"])
        wanted = read_choice(Path(artifact_utils.get_single_uri(input_dict["choice"]))).candidate
        backbone = build_backbone(
            wanted.backbone, wanted.weights, wanted.image_size, features=settings.features
        )
        with embedding_on_workers(self._beam_pipeline_args, embeddings.uri):
            info = extract(
                examples.uri,
                artifact_utils.decode_split_names(examples.split_names),
                backbone,
                wanted.weights,
                ImageSpec(backbone.image_size, settings.resize),
                cache_directory=exec_properties["cache_dir"],
                output_uri=embeddings.uri,
            )
        embeddings.set_string_custom_property("key", info.key)
