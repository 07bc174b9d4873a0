"""Figure 2: head trials a minute, on embeddings against the stock way.

The stock way is what a `tuner_fn` for TFX's Tuner component does: `keras_tuner.RandomSearch` over a
Keras model of frozen backbone and head, `fit` on images, so that every trial runs the backbone over
every image in every epoch. It is helped where it can be: images are decoded once and stay in
memory. Graft embeds the images once and searches over heads on the embeddings. Both sides have the
same images, division, space, epochs and seed, random search on both, and no early stopping.

The first line of figures leaves the embedding out, as it is paid once for all searches; the second
charges all of it to this one search. Wall time counts, as a user waits for it; CPU seconds stand
beside it for a machine that has other work.

    ./dev python benchmarks/head_trials.py --data ../shared/data/clothing --images 300
"""

import argparse
import json
import random
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import tensorflow as tf

from models.backbones import Backbone, build_backbone
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.embedding.forward import embed
from models.head.head_model import build_head
from models.head.head_trainer import HeadTrainer
from models.head.hyperparameters import HeadParameters
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.task_description import Origin, describe
from models.search.head_search import search_heads
from models.search.search_settings import SearchSettings

_REACH = 20
_BACKBONE = "EfficientNetLite0"


@dataclass(frozen=True)
class Images:
    """Encoded images with class indices, divided."""

    train: list[bytes]
    train_classes: np.ndarray
    validation: list[bytes]
    validation_classes: np.ndarray
    classes: int


@dataclass(frozen=True)
class Cost:
    """What a number of trials took."""

    trials: int
    seconds: float
    cpu_seconds: float

    @property
    def per_minute(self) -> float:
        """Trials a minute of wall time."""
        return 60 * self.trials / self.seconds

    @property
    def cpu_per_trial(self) -> float:
        """CPU seconds of one trial."""
        return self.cpu_seconds / self.trials


class Stopwatch:
    """Wall and CPU time since its making."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def cost(self, trials: int) -> Cost:
        """The time so far, as that of so many trials."""
        return Cost(trials, time.perf_counter() - self._wall, time.process_time() - self._cpu)


class StockHead(keras_tuner.HyperModel):
    """What a user writes for TFX's Tuner: the frozen backbone and a head, compiled and fit."""

    def __init__(self, backbone: Backbone, classes: int, settings: SearchSettings) -> None:
        super().__init__()
        self._backbone = backbone
        self._classes = classes
        self._space = settings.space

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Compiles one trial's model."""
        for parameter in self._space.parameters:
            parameter.register(hp)
        values = HeadParameters.from_values(hp.values)
        self._backbone.model.trainable = False
        head = build_head(self._backbone.dimension, self._classes, values)
        size = self._backbone.image_size
        inputs = keras.Input((size, size, 3))
        model = keras.Model(inputs, head(self._backbone.model(inputs, training=False)))
        model.compile(
            optimizer=keras.optimizers.AdamW(
                values.learning_rate, weight_decay=values.weight_decay
            ),
            loss=keras.losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=values.label_smoothing
            ),
            metrics=["accuracy"],
        )
        return model

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: keras.Model,
        train: tf.data.Dataset,
        validation: tf.data.Dataset,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains in batches of the trial's size."""
        size = hp.get("batch_size")
        return model.fit(
            train.shuffle(10_000).batch(size).prefetch(2),
            validation_data=validation.batch(64).prefetch(2),
            **kwargs,
        )


def main() -> None:
    """Prints trials a minute of both and their ratio; the last line is JSON."""
    arguments = _arguments()
    images = _read(Path(arguments.data), arguments.images)
    backbone = build_backbone(_BACKBONE, "imagenet", arguments.size)
    settings = SearchSettings(trials=arguments.trials, algorithm="random", epochs=arguments.epochs)
    embedding, search = _graft(images, backbone, settings)
    stock = _stock(images, backbone, settings, arguments.stock_trials)
    _print(embedding, search, stock)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", required=True, help="folder with a folder per class")
    parser.add_argument("--images", type=int, default=300, help="at most so many, both splits")
    parser.add_argument("--size", type=int, default=160, help="pixels")
    parser.add_argument("--epochs", type=int, default=5, help="of every trial")
    parser.add_argument("--trials", type=int, default=20, help="on embeddings")
    parser.add_argument("--stock-trials", type=int, default=2, help="of the stock way")
    return parser.parse_args()


def _read(folder: Path, most: int) -> Images:
    """Takes images from all folders that hold some; the folder's name is the class."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".jpeg", ".png"))
    random.Random(0).shuffle(files)
    files = files[:most]
    names = sorted({path.parent.name for path in files})
    classes = np.array([names.index(path.parent.name) for path in files])
    encoded = [path.read_bytes() for path in files]
    cut = len(files) * 4 // 5
    return Images(encoded[:cut], classes[:cut], encoded[cut:], classes[cut:], len(names))


def _graft(images: Images, backbone: Backbone, settings: SearchSettings) -> tuple[Cost, Cost]:
    """The embedding, and the search with everything but it."""
    watch = Stopwatch()
    spec = ImageSpec(backbone.image_size)
    task = HeadTask(
        LabelledEmbeddings(embed(images.train, backbone, spec), images.train_classes),
        LabelledEmbeddings(embed(images.validation, backbone, spec), images.validation_classes),
        images.classes,
    )
    embedding = watch.cost(settings.trials)
    watch = Stopwatch()
    origin = Origin(backbone.name, "imagenet", backbone.weights_digest, backbone.image_size, "")
    with tempfile.TemporaryDirectory() as scratch:
        result = search_heads(
            HeadTrainer(task, "none"),
            describe(task, origin),
            settings,
            Path(scratch),
            patience=settings.epochs,
        )
    assert len(result.history.completed) == settings.trials
    return embedding, watch.cost(settings.trials)


def _stock(images: Images, backbone: Backbone, settings: SearchSettings, trials: int) -> Cost:
    watch = Stopwatch()
    spec = ImageSpec(backbone.image_size)

    def dataset(encoded: list[bytes], classes: np.ndarray) -> tf.data.Dataset:
        targets = np.eye(images.classes, dtype=np.float32)[classes]
        return (
            tf.data.Dataset.from_tensor_slices((encoded, targets))
            .map(lambda image, target: (decode_and_resize(image, spec), target))
            .cache()
        )

    with tempfile.TemporaryDirectory() as directory:
        tuner = keras_tuner.RandomSearch(
            StockHead(backbone, images.classes, settings),
            objective="val_accuracy",
            max_trials=trials,
            seed=1,
            directory=directory,
        )
        tuner.search(
            train=dataset(images.train, images.train_classes),
            validation=dataset(images.validation, images.validation_classes),
            epochs=settings.epochs,
            verbose=0,
        )
    for trial in tuner.oracle.trials.values():
        # Keras Tuner goes on past failed trials, which would look very fast.
        assert trial.status == "COMPLETED", trial.message
    return watch.cost(len(tuner.oracle.trials))


def _print(embedding: Cost, search: Cost, stock: Cost) -> None:
    whole = Cost(
        search.trials,
        search.seconds + embedding.seconds,
        search.cpu_seconds + embedding.cpu_seconds,
    )
    ratio = search.per_minute / stock.per_minute
    rows = {"on embeddings": search, "with the embedding": whole, "stock": stock}
    for name, cost in rows.items():
        print(f"{name:<20}{cost.per_minute:>8.1f} trials/min{cost.cpu_per_trial:>8.2f} CPU s/trial")
    print(f"ratio (reach {_REACH})      {ratio:>8.1f}")
    figures = {
        "ratio": round(ratio, 2),
        "ratio_with_embedding": round(whole.per_minute / stock.per_minute, 2),
        "ratio_cpu": round(stock.cpu_per_trial / search.cpu_per_trial, 2),
        "reach": _REACH,
        "search": asdict(search),
        "embedding": asdict(embedding),
        "stock": asdict(stock),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
