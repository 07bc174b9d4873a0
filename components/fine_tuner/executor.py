"""Reads the task and earlier searches, fine-tunes with many settings, and writes what came out."""

import json
from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from typing_extensions import override

from components.artifact_names import BEST_FILE, HISTORY_FILE
from components.artifact_types import Artifacts, Params
from components.past_searches.knowledge import Knowledge
from components.past_searches.past_library import read_past
from components.past_searches.request import note_request
from components.past_searches.stored_histories import EMPTY
from components.trainer.task_reader import Inputs, read_task
from components.transform.vocabulary import labels_from_transform_graph
from models.head.task_description import describe
from models.history.contribution import CONTRIBUTION_FILE, write_contribution
from models.history.tuning_history import write_history
from models.search.fine_tuning.fine_tuning_search import FineTuningResult, search_fine_tuning
from models.search.search_settings import SearchSettings
from models.storage.atomic_write import write_atomically
from models.training.training_settings import TrainingSettings, choose_strategy


class Executor(base_executor.BaseExecutor):
    """Writes the artifacts HyperParameters and TuningHistory."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.fine_tuner.component`.

        Raises:
            BadDataError: no image to train or to validate on.
            UsageError: the settings make no sense, or the weights have changed.
        """
        content = (Path(_uri(input_dict, "hyperparameters")) / BEST_FILE).read_bytes()
        hyperparameters = json.loads(content)
        result = _search(input_dict, exec_properties, hyperparameters["values"])
        (history,) = output_dict["history"]
        if result is None:
            history.set_int_custom_property(EMPTY, 1)
        else:
            write_history(Path(history.uri) / HISTORY_FILE, result.history)
            write_contribution(Path(history.uri) / CONTRIBUTION_FILE, result.contribution)
            hyperparameters["values"] |= result.chosen
            note_request(history, exec_properties, input_dict)
        best = Path(_uri(output_dict, "best_hyperparameters")) / BEST_FILE
        write_atomically(best, json.dumps(hyperparameters).encode())


def _search(
    input_dict: dict[str, list[Artifact]], exec_properties: dict[str, Any], values: dict[str, Any]
) -> FineTuningResult | None:
    """None where the strategy does not fine-tune."""
    settings = SearchSettings.from_json(exec_properties["settings"])
    scratch = Path(exec_properties["scratch_dir"])
    inputs = Inputs(
        examples_uri=_uri(input_dict, "examples"),
        embeddings_uri=_uri(input_dict, "embeddings"),
        labels=labels_from_transform_graph(_uri(input_dict, "transform_graph")),
        values=values,
    )
    read = read_task(
        inputs,
        TrainingSettings.from_json(exec_properties["training"]),
        seed=exec_properties["seed"],
        head_epochs=settings.epochs,
        scratch=scratch,
        log_dir=scratch,
    )
    if choose_strategy(read.task.settings, read.task.images).name != "fine_tune":
        return None
    description = describe(read.task.embeddings, read.data.origin)
    knowledge = Knowledge.model_validate_json(exec_properties["knowledge"])
    past = input_dict.get("past", [])
    library = read_past(past, knowledge, description, subject="fine_tuning")
    result = search_fine_tuning(
        read.task,
        description,
        settings,
        scratch,
        past=library.sources,
        code=exec_properties["code"],
        name=exec_properties["name"],
    )
    left_out = (*library.skipped, *result.contribution.left_out)
    contribution = result.contribution.model_copy(update={"left_out": left_out})
    return FineTuningResult(result.history, result.chosen, contribution)


def _uri(artifacts: dict[str, list[Artifact]], key: str) -> str:
    return artifact_utils.get_single_uri(artifacts[key])
