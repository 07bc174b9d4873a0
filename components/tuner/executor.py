"""Reads the task and earlier searches, searches, and writes what came out."""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import keras_tuner
from tfx.dsl.components.base import base_beam_executor
from tfx.types import Artifact, artifact_utils
from typing_extensions import override

from components.artifact_names import BEST_FILE, HISTORY_FILE, SERVING_FOLDER
from components.artifact_types import Artifacts, Params, first_uri
from components.beam_embedding.run import embedding_on_workers
from components.example_gen.replay import has_replayed
from components.label_check.label_errors_file import left_out
from components.past_searches.knowledge import Knowledge
from components.past_searches.past_library import read_past
from components.past_searches.request import note_request
from components.past_searches.stored_histories import EMPTY
from components.shared_activations import shared_activations
from components.transform.vocabulary import labels_from_transform_graph
from components.tuner.chosen_backbone_resolver import CHOSEN, chosen_key
from components.tuner.time_to_push import seconds_after_training
from components.tuner.unseen_images import check_unseen
from models import progress
from models.backbone_choice.backbone_choice import BackboneChoice, write_choice
from models.backbone_choice.model_settings import ChoiceSettings, ModelSettings
from models.backbones import build_backbone
from models.data import example_schema
from models.data.example_reader import derived_features
from models.head.labelled_embeddings import fingerprint
from models.head.task_description import Origin, describe
from models.history.tuning_history import write_history
from models.number_text import duration
from models.search.images_beside import read_beside
from models.search.joint_search import JointSearch, SearchResult
from models.search.joint_space import MOST_EPOCHS, candidate_of
from models.search.negative_transfer import check_weights
from models.search.relatives import relatives
from models.search.search_record import SearchRecord, write_record
from models.search.search_settings import SearchSettings
from models.search.search_task import SearchTask
from models.search.tried import curve_task
from models.storage.atomic_write import write_atomically
from models.training.model_description import read_description
from models.training.training_settings import TrainingSettings
from models.training.training_state import STATE_FILE

_NO_BUDGET: Final = "tuning.budget is 0"
_GOES_ON: Final = "the training goes on from the last blessed model (training.start)"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes the artifacts BackboneChoice, HyperParameters, TrainingState and TuningHistory."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.tuner.component`.

        Raises:
            BadDataError: no image to train or to validate on, or a backbone has learned from some
                that it would be judged on.
            UsageError: a backbone's name is unknown, or the first cannot be had.
            GraftError: not a single configuration came out, or a Beam worker cannot be reached,
                was lost or is not like the run.
        """
        with embedding_on_workers(self._beam_pipeline_args, _uri(output_dict, "history")):
            _tune(input_dict, output_dict, exec_properties)


def _tune(input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
    began = time.monotonic()
    task = _task(input_dict, exec_properties)
    begun = _begun(task, first_uri(input_dict.get("champion", [])))
    task = begun or task
    check_unseen(task.examples_uri, task.candidates)
    checked = check_weights(task, Path(task.activations))
    if checked.words:
        progress.report(0, 0, "seconds", checked.words, is_lasting=True)
    task = checked.task
    settings = SearchSettings.from_json(exec_properties["settings"])
    if begun or settings.budget == 0:
        _write_unsearched(task, checked.words, _GOES_ON if begun else _NO_BUDGET, output_dict)
        return
    scratch, code = Path(exec_properties["scratch_dir"]), exec_properties["code"]
    beside = read_beside(Path(exec_properties["beside"]))
    search = JointSearch(task, settings, scratch, code=code, beside=beside)
    told = _announce(search, task)
    before = time.monotonic() - began
    result = search_with_past(
        search,
        task,
        past=input_dict.get("past", []),
        knowledge=Knowledge.model_validate_json(exec_properties["knowledge"]),
        price=ChoiceSettings.from_json(exec_properties["choice"]).price,
        name=exec_properties["name"],
    )
    _write_choice(task, result.chosen, output_dict)
    space = result.history.header.space.to_hyperparameters()
    most = {} if result.epochs is None else {MOST_EPOCHS: result.epochs}
    _write_values(space, {**result.chosen, **most}, output_dict)
    if result.state is not None:
        state = Path(_uri(output_dict, "state")) / STATE_FILE
        shutil.copyfile(result.state, state)
    history = output_dict["history"][0]
    write_history(Path(history.uri) / HISTORY_FILE, result.history)
    timed = {"told_seconds": told, "before_seconds": before}
    record = _with_words(result.record.model_copy(update=timed), checked.words)
    write_record(Path(history.uri), record)
    note_request(history, exec_properties, input_dict)
    search.close()


def _task(input_dict: dict[str, list[Artifact]], exec_properties: Params) -> SearchTask:
    model = ModelSettings.from_json(exec_properties["model"])
    examples, seed = _uri(input_dict, "examples"), exec_properties["seed"]
    without = left_out(first_uri(input_dict.get("label_errors", [])))
    folder = exec_properties["activations_dir"]
    return SearchTask(
        examples_uri=examples,
        labels=labels_from_transform_graph(_uri(input_dict, "transform_graph")),
        candidates=model.resolved_candidates,
        resize=model.resize,
        features=model.features,
        training=TrainingSettings.from_json(exec_properties["training"]).for_images(
            has_replayed=has_replayed(examples)
        ),
        seed=seed,
        embeddings=exec_properties["cache_dir"],
        activations=str(shared_activations(folder, examples, seed, without)),
        left_out=without,
    )


def _begun(task: SearchTask, champion: str | None) -> SearchTask | None:
    """The task with the backbone of a model alone to begin from; None where there is none."""
    if not champion:
        return None
    described = read_description(Path(champion) / SERVING_FOLDER)
    fitting = [each for each in task.candidates if described.is_of(each.backbone, each.image_size)]
    return task.model_copy(update={"candidates": tuple(fitting[:1])}) if fitting else None


def _announce(search: JointSearch, task: SearchTask) -> float:
    """Tells how long the rest of the run will take, in seconds."""
    after = seconds_after_training(search.costs, task.candidates[0], task.examples_uri)
    told = search.expected_seconds + after
    words = (
        f"searching for {duration(search.longest)}, then training: about "
        f"{duration(search.expected_seconds)} in all "
        f"(the usual training alone: {duration(search.usual_seconds)}); "
        f"judged, proved and pushed in about {duration(told)}"
    )
    progress.report(0, round(search.budget), "seconds", words, is_lasting=True)
    return told


def search_with_past(
    search: JointSearch,
    task: SearchTask,
    *,
    past: Sequence[Artifact] = (),
    knowledge: Knowledge,
    price: float,
    name: str = "",
) -> SearchResult:
    """Searches, with all that earlier searches teach on such a task.

    Args:
        search: not yet made.
        task: that it is made on.
        past: histories that ML Metadata knows.
        knowledge: the others.
        price: see `JointSearch.run`.
        name: of the data, for people.

    Raises:
        GraftError: not a single configuration came out.
    """
    backbone = search.first_backbone
    images = _images(task.examples_uri)
    origin = Origin(
        backbone=backbone.name,
        weights=task.candidates[0].weights,
        weights_digest=backbone.weights_digest,
        image_size=backbone.image_size,
        data_fingerprint=fingerprint(images),
    )
    described = describe(search.embeddings, origin)
    digests = [digest for hashes, _ in images.values() for digest in hashes]
    library = read_past(past, knowledge, described, images=digests)
    learned = [curve_task(history, name) for name, history in library.histories]
    result = search.run(described, learned, price=price, name=name)
    related = relatives(described, name, library.histories)
    record = result.record.model_copy(update={"left_out": library.skipped, "related": related})
    return replace(result, record=record)


def _images(examples_uri: str) -> dict[str, tuple[list[str], list[str]]]:
    """Digests and labels of the images of each split; a group tells one task from another too."""
    images = {}
    for split in example_schema.SPLITS:
        columns = derived_features(examples_uri, split)
        labels = [
            f"{label}\0{group}" if group else str(label)
            for label, group in zip(
                columns[example_schema.LABEL], columns[example_schema.GROUP], strict=True
            )
        ]
        images[split] = [str(each) for each in columns[example_schema.SHA256]], labels
    return images


def _with_words(record: SearchRecord, words: str) -> SearchRecord:
    return record.model_copy(update={"words": f"{words} {record.words}".strip()})


def _write_unsearched(task: SearchTask, words: str, why: str, output_dict: Artifacts) -> None:
    """The first candidate, to be trained as configured; words tell of its weights."""
    candidate = task.candidates[0]
    values = {
        "model.backbone": candidate.backbone,
        "model.weights": candidate.weights,
        "model.image_size": candidate.image_size,
    }
    _write_choice(task, values, output_dict)
    _write_values(keras_tuner.HyperParameters(), {}, output_dict)
    output_dict["history"][0].set_int_custom_property(EMPTY, 1)
    record = SearchRecord(
        budget=0.0,
        spent=0.0,
        usual_seconds=0.0,
        training_seconds=0.0,
        chosen={},
        words=f"Nothing was searched: {why}.",
    )
    write_record(Path(_uri(output_dict, "history")), _with_words(record, words))


def _write_choice(task: SearchTask, values: Mapping[str, Any], output_dict: Artifacts) -> None:
    candidate = candidate_of(values)
    backbone = build_backbone(
        candidate.backbone, candidate.weights, candidate.image_size, features=task.features
    )
    choice = BackboneChoice(candidate=candidate, weights_digest=backbone.weights_digest)
    artifact = output_dict["chosen"][0]
    write_choice(Path(artifact.uri), choice)
    artifact.set_string_custom_property(CHOSEN, chosen_key(choice))


def _write_values(
    space: keras_tuner.HyperParameters, values: Mapping[str, Any], output_dict: Artifacts
) -> None:
    content = {**space.get_config(), "values": dict(values)}
    best = Path(_uri(output_dict, "best_hyperparameters")) / BEST_FILE
    write_atomically(best, json.dumps(content).encode())


def _uri(artifacts: dict[str, list[Artifact]], key: str) -> str:
    return artifact_utils.get_single_uri(artifacts[key])
