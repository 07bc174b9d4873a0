"""What TFX's Trainer calls: reads the inputs, trains, writes the Model artifact."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from components.artifact_names import (
    BODY,
    EXPECTED_FILE,
    HEAD_FILE,
    KERAS_FILE,
    PROBE_ANSWERS_FILE,
    PROBE_FILE,
    PROBE_HEADS_FILE,
    SERVING_FOLDER,
    START_HEAD_FILE,
    START_MODEL_FILE,
    TRAINING_FILE,
    further_head_file,
)
from components.image_register import REGISTER_FILE, read_register
from components.label_check.label_errors_file import left_out
from components.shared_activations import shared_activations
from components.trainer.executor import (
    CHAMPION,
    CHAMPION_EXAMPLES,
    EMBEDDINGS,
    EXAMPLES,
    LABEL_ERRORS,
    MODEL,
    STATE,
    TARGET,
    UNLABELLED,
)
from components.trainer.further_heads import fit_further_heads
from components.trainer.task_reader import Inputs, ReadTask, read_task
from components.transform.vocabulary import labels_from_transform_graph
from models.backbones.weight_files import digest
from models.data import example_schema
from models.data.example_reader import read_records
from models.data.image_decoding import decode_and_resize
from models.data.sample_depth import read_sample_range
from models.embedding.forward import embedding_key
from models.export import FurtherColumn, export_model
from models.head.frozen_probe import train_probe, write_probe, write_probe_heads
from models.head.further_head import FurtherHead
from models.head.head_model import HEAD
from models.json_digest import json_digest
from models.storage.atomic_write import write_atomically
from models.storage.folders import delete_others
from models.storage.seals import is_sealed
from models.training import device
from models.training.activations import of_process
from models.training.model_description import Network
from models.training.train import Trained, train
from models.training.training_settings import TrainingSettings
from models.training.training_state import STATE_FILE
from models.training.training_task import TrainingTask, with_head


def run_fn(fn_args: FnArgs) -> None:
    """Trains and exports; see `components.trainer.component`.

    Raises:
        UsageError: the weights are not those that the embeddings were made with.
        GraftError: the training diverged.
    """
    config = fn_args.custom_config
    inputs = _inputs(fn_args)
    read = _read(fn_args, inputs)
    task = read.task
    # Of other trainings only the last one can have been killed.
    delete_others(task.scratch)
    _take_up(Path(config[STATE]) / STATE_FILE, task.scratch / STATE_FILE)
    trained = train(task)
    shutil.rmtree(config["activations_dir"], ignore_errors=True)
    further = fit_further_heads(json.loads(config["further_labels"]), read, inputs)
    model_uri = Path(config[MODEL])
    _write(trained, further, read, model_uri, config)
    # The head of the training is that very probe, where no earlier one drew it to itself.
    fitted = None if task.earlier else trained.frozen
    weights = task.settings.weighting
    probe = train_probe(read.data.task, weights, read.data.test, fitted, read.probe)
    files = model_uri / PROBE_FILE, model_uri / PROBE_ANSWERS_FILE
    write_probe(*files, probe, read.data.test_names)
    write_probe_heads(model_uri / PROBE_HEADS_FILE, probe, read.data.info.key)
    _register_images(read, inputs, model_uri)
    expected = _expected(trained.model, further, task, config["check_images"])
    _write_json(model_uri / EXPECTED_FILE, expected)


def _inputs(fn_args: FnArgs) -> Inputs:
    config = fn_args.custom_config
    return Inputs(
        examples_uri=config[EXAMPLES],
        embeddings_uri=config[EMBEDDINGS],
        labels=labels_from_transform_graph(fn_args.transform_graph_path),
        values=fn_args.hyperparameters["values"],
        left_out=left_out(config[LABEL_ERRORS]),
        unlabelled_uri=config[UNLABELLED],
        target_uri=config[TARGET],
        embeddings_dir=config["embeddings_dir"],
        champion_uri=config[CHAMPION],
        champion_examples_uri=config[CHAMPION_EXAMPLES],
        keeps_network=config["keeps_network"],
    )


def _read(fn_args: FnArgs, inputs: Inputs) -> ReadTask:
    config = fn_args.custom_config
    scratch_dir = Path(config["scratch_dir"])
    read = read_task(
        inputs,
        TrainingSettings.from_json(config["settings"]),
        seed=config["seed"],
        scratch=scratch_dir,
        log_dir=Path(fn_args.model_run_dir),
    )
    task = replace(
        read.task,
        scratch=scratch_dir / _key(read, config["code"]),
        is_validated_later=bool(json.loads(config["further_labels"])),
        activations=of_process(
            shared_activations(
                config["activations_dir"], inputs.examples_uri, read.task.seed, inputs.left_out
            )
        ),
    )
    return replace(read, task=task)


def _key(read: ReadTask, code: str) -> str:
    """Names everything that the training depends on: what is taken up must be the same training."""
    parts = {
        "settings": read.task.settings.model_dump(),
        "seed": read.task.seed,
        "code": code,
        "features": read.data.info.key,
        "begun_from": read.begun_from,
        "keeps_network": read.network is not None,
        "data": read.data.fingerprint,
        "left_out": list(read.task.left_out),
        "sample_range": str(read_sample_range(read.task.examples_uri)),
    }
    return json_digest(parts)


def _take_up(begun: Path, state: Path) -> None:
    """Goes on from where the search was, unless a killed training came farther."""
    if begun.exists() and not is_sealed(state):
        state.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(state, begun.read_bytes())


def _body(trained: Trained, read: ReadTask, config: dict[str, Any]) -> str:
    """Names all of the export but its head; empty where training changed more than the head.

    What a body made of images is kept for the models to come
    (`components.exported_models.known_answers`), and that of a fine-tuned backbone is never met
    again.
    """
    if trained.record.exported != "head":
        return ""
    parts = {
        "embedding": embedding_key(read.task.backbone, read.task.spec),
        "weights": digest(read.task.backbone.model),
        "sample_range": str(read_sample_range(read.task.examples_uri)),
        "max_pixels": config["max_pixels"],
        "code": config["code"],
    }
    return json_digest(parts)


def _description(
    trained: Trained, further: Sequence[FurtherHead], read: ReadTask, config: dict[str, Any]
) -> dict[str, Any]:
    """Lineage for `assets.extra/graft.json`, beside what `export_model` adds."""
    info = read.data.info
    network = read.network or Network(
        recipe=config["recipe"],
        exported=trained.record.exported,
        begun_from=read.begun_from,
        data_fingerprint=read.data.fingerprint,
        images=read.task.images,
        classes=len(read.task.labels),
    )
    return {
        BODY: _body(trained, read, config),
        "backbone": info.backbone,
        "weights": info.weights,
        "weights_digest": info.weights_digest,
        "begun_from": read.begun_from,
        "chain": [each.model_dump() for each in read.chain],
        "network": asdict(network),
        "training_images": read.task.images,
        "strategy": trained.record.strategy.name,
        "exported": trained.record.exported,
        "learned_from_validation": trained.start.is_given,
        "model_digest": digest(trained.model),
        # Two models may differ in these alone.
        "further_digests": {each.column: digest(each.model) for each in further},
        "validation_accuracy": trained.record.validation_accuracy,
        "data_fingerprint": read.data.fingerprint,
        "seed": trained.record.seed,
        "code": config["code"],
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
    }


def _write(
    trained: Trained,
    further: Sequence[FurtherHead],
    read: ReadTask,
    model_uri: Path,
    config: dict[str, Any],
) -> None:
    record = {
        **trained.record.to_values(),
        "machine": device.machine(),
        "further_labels": [each.to_values() for each in further],
    }
    _write_json(model_uri / TRAINING_FILE, record)
    keras_file = model_uri / KERAS_FILE
    keras_file.parent.mkdir(parents=True, exist_ok=True)
    trained.model.save(keras_file)
    trained.model.get_layer(HEAD).save(model_uri / HEAD_FILE)
    for name, start in (
        (START_HEAD_FILE, trained.start.head),
        (START_MODEL_FILE, trained.start.model),
    ):
        if start is not None:
            start.save(model_uri / name)
    for each in further:
        file = model_uri / further_head_file(each.column)
        file.parent.mkdir(exist_ok=True)
        each.model.save(file)
    task = read.task
    export_model(
        trained.model,
        task.backbone.model.outputs[0],
        task.labels,
        task.spec,
        model_uri / SERVING_FOLDER,
        _description(trained, further, read, config),
        licence=read.licence,
        sample_range=read_sample_range(task.examples_uri),
        max_pixels=config["max_pixels"],
        further=[FurtherColumn(each.column, each.labels, each.model) for each in further],
    )


def _register_images(read: ReadTask, inputs: Inputs, model_uri: Path) -> None:
    """Leaves beside the model which images its network was made by."""
    learned = read_register(Path(inputs.examples_uri))
    if read.network and inputs.champion_uri:
        learned = read_register(Path(inputs.champion_uri))
    if learned is not None:
        images = learned.only(example_schema.TRAIN, example_schema.VALIDATION)
        images.save(model_uri / REGISTER_FILE)


def _expected(
    model: keras.Model, further: Sequence[FurtherHead], task: TrainingTask, count: int
) -> list[dict[str, Any]]:
    """What the model and the further heads answer to the first validation images."""
    records = list(islice(read_records(task.examples_uri, example_schema.VALIDATION), count))
    images = [decode_and_resize(tf.constant(each.image), task.spec) for each in records]
    heads = {each.column: with_head(task.backbone.model, each.model) for each in further}
    # Not by `predict`, whose graph takes longer to trace than a few images take.
    answers, *others = (
        np.asarray(each(np.stack(images), training=False)) for each in (model, *heads.values())
    )
    return [
        {
            "name": record.name,
            "sha256": record.sha256,
            "probabilities": answers[row].tolist(),
            "further_labels": {
                column: told[row].tolist() for column, told in zip(heads, others, strict=True)
            },
        }
        for row, record in enumerate(records)
    ]


def _write_json(path: Path, content: Any) -> None:
    write_atomically(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
