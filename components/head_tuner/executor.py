"""Reads embeddings, searches, and writes the best values, the history and the probe."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from typing_extensions import override

from components.transform.labels import labels_from_transform_graph
from models import features
from models.embedding import EmbeddingSplit, read_embeddings, read_info
from models.files import write_atomically
from models.metrics import class_indices
from models.tuning.data import HeadTask, LabelledEmbeddings, fingerprint
from models.tuning.description import Origin, describe
from models.tuning.head_trainer import HeadTrainer
from models.tuning.history import write_history
from models.tuning.probe import train_probe, write_probe
from models.tuning.search import search_heads
from models.tuning.settings import SearchSettings

_BEST_FILE = "best_hyperparameters.txt"
"""Where TFX's Trainer looks for them."""

_HISTORY_FILE = "history.jsonl"


class Executor(base_executor.BaseExecutor):
    """Writes the artifacts HyperParameters and TuningHistory."""

    @override
    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component; see `components.head_tuner.component`.

        Raises:
            BadDataError: no image to train or to validate on.
            UsageError: the settings make no sense.
            GraftError: not a single trial came out.
        """
        labels = labels_from_transform_graph(_uri(input_dict, "transform_graph"))
        settings = SearchSettings.from_json(exec_properties["settings"], exec_properties["seed"])
        data = read_data(_uri(input_dict, "embeddings"), labels)
        trainer = HeadTrainer(data.task, settings.class_weights)
        result = search_heads(
            trainer,
            describe(data.task, data.origin),
            settings,
            Path(exec_properties["scratch_dir"]),
            code=exec_properties["code"],
        )
        probe = train_probe(trainer, result.history, data.test)

        history = Path(_uri(output_dict, "history"))
        write_history(history / _HISTORY_FILE, result.history)
        write_probe(history, probe, data.test_names)
        best = Path(_uri(output_dict, "best_hyperparameters")) / _BEST_FILE
        write_atomically(best, json.dumps(result.hyperparameters.get_config()).encode())


@dataclass(frozen=True)
class SearchData:
    """The embeddings of all splits, with class indices.

    Attributes:
        task: training and validation images of the classes that the model knows.
        test: all test images.
        test_names: their names, in order.
        origin: where the embeddings come from.
    """

    task: HeadTask
    test: LabelledEmbeddings
    test_names: list[str]
    origin: Origin


def read_data(uri: str, labels: tuple[str, ...]) -> SearchData:
    """Reads an Embeddings artifact.

    Args:
        uri: of the artifact.
        labels: class names in the order of the model's outputs.

    Raises:
        BadDataError: no image to train or to validate on.
    """
    splits = {name: read_embeddings(uri, name) for name in features.SPLITS}
    info = read_info(uri)
    origin = Origin(
        backbone=info.backbone,
        weights=info.weights,
        weights_digest=info.weights_digest,
        image_size=info.image_size,
        data_fingerprint=fingerprint(
            {name: (split.sha256, split.labels) for name, split in splits.items()}
        ),
    )
    task = HeadTask(
        train=_labelled(splits[features.TRAIN], labels).known(),
        validation=_labelled(splits[features.VALIDATION], labels).known(),
        classes=len(labels),
    )
    test = splits[features.TEST]
    return SearchData(task, _labelled(test, labels), test.names.tolist(), origin)


def _labelled(split: EmbeddingSplit, labels: tuple[str, ...]) -> LabelledEmbeddings:
    return LabelledEmbeddings(split.embeddings, class_indices(split.labels.tolist(), labels))


def _uri(artifacts: dict[str, list[Artifact]], key: str) -> str:
    return artifact_utils.get_single_uri(artifacts[key])
