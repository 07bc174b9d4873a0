"""Hands TFX's `run_fn` the embeddings and the model's folder."""

from tfx.components.trainer.executor import GenericExecutor
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_types import Artifacts, Params, first_uri
from components.beam_embedding.run import embedding_on_workers

EMBEDDINGS = "embeddings_uri"
EXAMPLES = "examples_uri"
LABEL_ERRORS = "label_errors_uri"
MODEL = "model_uri"
STATE = "state_uri"
CHAMPION = "champion_uri"
CHAMPION_EXAMPLES = "champion_examples_uri"
UNLABELLED = "unlabelled_uri"
TARGET = "target_uri"


class Executor(GenericExecutor, base_beam_executor.BaseBeamExecutor):
    """TFX's executor; `custom_config` of FnArgs carries further folders."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        folder = artifact_utils.get_single_uri(output_dict["model"])
        with embedding_on_workers(self._beam_pipeline_args, folder):
            super().Do(input_dict, output_dict, exec_properties)

    @override
    def _GetFnArgs(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params
    ) -> FnArgs:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        fn_args.custom_config = {
            **fn_args.custom_config,
            EXAMPLES: artifact_utils.get_single_uri(input_dict["examples"]),
            EMBEDDINGS: artifact_utils.get_single_uri(input_dict["embeddings"]),
            STATE: artifact_utils.get_single_uri(input_dict["state"]),
            LABEL_ERRORS: first_uri(input_dict.get("label_errors", [])),
            UNLABELLED: first_uri(input_dict.get("unlabelled", [])),
            TARGET: first_uri(input_dict.get("target", [])),
            MODEL: artifact_utils.get_single_uri(output_dict["model"]),
            CHAMPION: first_uri(input_dict.get("base_model", [])),
            CHAMPION_EXAMPLES: first_uri(input_dict.get("champion_examples", [])),
        }
        return fn_args
