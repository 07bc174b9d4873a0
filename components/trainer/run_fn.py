"""What TFX's Trainer calls: reads the inputs, trains, writes the Model artifact."""

import dataclasses
import hashlib
import json
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from components.artifact_names import EXPECTED_FILE, SERVING_FOLDER, TRAINING_FILE
from components.trainer.executor import EMBEDDINGS, EXAMPLES, MODEL
from components.trainer.task_reader import Inputs, read_task
from components.transform.vocabulary import labels_from_transform_graph
from models.backbones.weight_files import digest
from models.data import example_schema
from models.data.example_reader import read_records
from models.data.image_decoding import decode_and_resize
from models.data.sample_depth import read_sample_range
from models.embedding import EmbeddingInfo
from models.export import export_model
from models.storage.atomic_write import write_atomically
from models.training.train import Trained, train
from models.training.training_settings import TrainingSettings
from models.training.training_task import TrainingTask

KERAS_FILE = "keras/model.keras"


def run_fn(fn_args: FnArgs) -> None:
    """Trains and exports; see `components.trainer.component`.

    Raises:
        UsageError: the weights are not those that the embeddings were made with.
        GraftError: the training diverged.
    """
    config = fn_args.custom_config
    task, info, fingerprint = _task(fn_args)
    _forget_others(Path(config["scratch_dir"]), task.scratch)
    trained = train(task)
    model_uri = Path(config[MODEL])
    _write(trained, task, model_uri, _description(trained, info, config["code"], fingerprint))
    expected = _expected(trained.model, task, config["check_images"])
    _write_json(model_uri / EXPECTED_FILE, expected)


def _task(fn_args: FnArgs) -> tuple[TrainingTask, EmbeddingInfo, str]:
    """The task, how its embeddings were made, and a digest of the data and their split."""
    config = fn_args.custom_config
    inputs = Inputs(
        examples_uri=config[EXAMPLES],
        embeddings_uri=config[EMBEDDINGS],
        labels=labels_from_transform_graph(fn_args.transform_graph_path),
        values=fn_args.hyperparameters["values"],
    )
    scratch_dir = Path(config["scratch_dir"])
    read = read_task(
        inputs,
        TrainingSettings.from_json(config["settings"]),
        seed=config["seed"],
        head_epochs=config["head_epochs"],
        scratch=scratch_dir,
        log_dir=Path(fn_args.model_run_dir),
    )
    fingerprint = read.data.origin.data_fingerprint
    scratch = scratch_dir / _key(read.task, config["code"], read.info, fingerprint)
    return dataclasses.replace(read.task, scratch=scratch), read.info, fingerprint


def _key(task: TrainingTask, code: str, info: EmbeddingInfo, fingerprint: str) -> str:
    """Names everything that the training depends on: what is taken up must be the same training."""
    parts = {
        "settings": task.settings.model_dump(),
        "head_epochs": task.head_epochs,
        "seed": task.seed,
        "code": code,
        "features": info.key,
        "head": task.parameters.to_values(),
        "data": fingerprint,
        "sample_range": str(read_sample_range(task.examples_uri)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _forget_others(scratch_dir: Path, own: Path) -> None:
    """Deletes what other trainings left: only the last one can have been killed."""
    if scratch_dir.is_dir():
        for folder in scratch_dir.iterdir():
            if folder.is_dir() and folder != own:
                shutil.rmtree(folder, ignore_errors=True)


def _description(
    trained: Trained, info: EmbeddingInfo, code: str, fingerprint: str
) -> dict[str, Any]:
    """Lineage for `assets.extra/graft.json`, beside what `export_model` adds."""
    return {
        "backbone": info.backbone,
        "weights": info.weights,
        "weights_digest": info.weights_digest,
        "strategy": trained.record.strategy.name,
        "exported": trained.record.exported,
        "model_digest": digest(trained.model),
        "validation_accuracy": trained.record.validation_accuracy,
        "data_fingerprint": fingerprint,
        "seed": trained.record.seed,
        "code": code,
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
    }


def _write(
    trained: Trained, task: TrainingTask, model_uri: Path, description: dict[str, Any]
) -> None:
    _write_json(model_uri / TRAINING_FILE, trained.record.to_values())
    keras_file = model_uri / KERAS_FILE
    keras_file.parent.mkdir(parents=True, exist_ok=True)
    trained.model.save(keras_file)
    export_model(
        trained.model,
        task.labels,
        task.spec,
        model_uri / SERVING_FOLDER,
        description,
        read_sample_range(task.examples_uri),
    )


def _expected(model: keras.Model, task: TrainingTask, count: int) -> list[dict[str, Any]]:
    """What the model answers to the first validation images."""
    records = list(islice(read_records(task.examples_uri, example_schema.VALIDATION), count))
    images = [decode_and_resize(tf.constant(each.image), task.spec) for each in records]
    answers = model.predict(np.stack(images), verbose=0)
    return [
        {"name": each.name, "sha256": each.sha256, "probabilities": answer.tolist()}
        for each, answer in zip(records, answers, strict=True)
    ]


def _write_json(path: Path, content: Any) -> None:
    write_atomically(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
