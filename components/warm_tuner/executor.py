"""Reads embeddings and earlier searches, searches, and writes what came out."""

import json
from pathlib import Path

from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from typing_extensions import override

from components.artifact_names import BEST_FILE, HISTORY_FILE, PROBE_ANSWERS_FILE, PROBE_FILE
from components.artifact_types import Artifacts, Params
from components.embedded_data import read_data
from components.past_searches.knowledge import Knowledge
from components.past_searches.past_library import read_past
from components.past_searches.request import note_request
from components.transform.vocabulary import labels_from_transform_graph
from models.head.frozen_probe import train_probe, write_probe
from models.head.head_trainer import HeadTrainer
from models.head.task_description import describe
from models.history.contribution import CONTRIBUTION_FILE, write_contribution
from models.history.tuning_history import write_history
from models.search.head_search import search_heads
from models.search.search_settings import SearchSettings
from models.storage.atomic_write import write_atomically


class Executor(base_executor.BaseExecutor):
    """Writes the artifacts HyperParameters and TuningHistory."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.warm_tuner.component`.

        Raises:
            BadDataError: no image to train or to validate on.
            UsageError: the settings make no sense.
            GraftError: not a single trial came out.
        """
        labels = labels_from_transform_graph(_uri(input_dict, "transform_graph"))
        settings = SearchSettings.from_json(exec_properties["settings"])
        data = read_data(_uri(input_dict, "embeddings"), labels)
        trainer = HeadTrainer(data.task, exec_properties["class_weights"])
        description = describe(data.task, data.origin)
        knowledge = Knowledge.model_validate_json(exec_properties["knowledge"])
        past = input_dict.get("past", [])
        library = read_past(past, knowledge, description, images=data.images)
        result = search_heads(
            trainer,
            description,
            settings,
            Path(exec_properties["scratch_dir"]),
            seed=exec_properties["seed"],
            past=library.sources,
            code=exec_properties["code"],
            name=exec_properties["name"],
        )
        probe = train_probe(trainer, result.history, data.test)

        history = Path(_uri(output_dict, "history"))
        write_history(history / HISTORY_FILE, result.history)
        if result.contribution is not None:
            left_out = (*library.skipped, *result.contribution.left_out)
            told = result.contribution.model_copy(update={"left_out": left_out})
            write_contribution(history / CONTRIBUTION_FILE, told)
        write_probe(history / PROBE_FILE, history / PROBE_ANSWERS_FILE, probe, data.test_names)
        best = Path(_uri(output_dict, "best_hyperparameters")) / BEST_FILE
        write_atomically(best, json.dumps(result.hyperparameters.get_config()).encode())
        note_request(output_dict["history"][0], exec_properties, input_dict)


def _uri(artifacts: dict[str, list[Artifact]], key: str) -> str:
    return artifact_utils.get_single_uri(artifacts[key])
