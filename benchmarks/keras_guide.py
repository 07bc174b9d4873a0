"""The yardstick of `whole_run.py`: Keras' guide to transfer learning, with EfficientNetLite0.

20 epochs with the base frozen, 10 with all of it at a low rate; images are flipped and turned
slightly; the last epoch's weights are tested. Nothing is validated, searched, exported or served.

    ./dev bench keras_guide --data DIR

prints one line of JSON. https://keras.io/guides/transfer_learning/

`benchmarks/search/live` has the same script end when its time is spent.
"""

import time

_BEGIN = time.monotonic()

import argparse  # noqa: E402 — the clock starts before the imports
import json  # noqa: E402
import math  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from models.backbones import build_backbone  # noqa: E402

_BATCH = 32
_FROZEN_EPOCHS, _TUNED_EPOCHS = 20, 10
_FROZEN_SHARE = 0.5
"""Of a limited time, at most."""


def guide(data: Path, size: int, seed: int, seconds: float = math.inf) -> dict[str, float]:
    """Trains as the guide does; accuracy and log loss on the test split, and what it took.

    Args:
        data: folder with the splits train, validation and test.
        size: side of the images in pixels.
        seed: of everything random.
        seconds: after which training ends, wherever it is; the last weights are tested.
    """
    keras.utils.set_random_seed(seed)
    begun = time.monotonic()
    classes = sum(path.is_dir() for path in (data / "train").iterdir())
    base = build_backbone("EfficientNetLite0", "imagenet", size).model
    base.trainable = False
    inputs = keras.Input((size, size, 3))
    features = keras.layers.Dropout(0.2)(base(inputs, training=False))
    model = keras.Model(inputs, keras.layers.Dense(classes)(features))
    splits = {
        name: _split(data / name, size, seed, augment=name == "train")
        for name in ("train", "validation", "test")
    }
    frozen = _fit(model, 1e-3, _FROZEN_EPOCHS, splits, begun + _FROZEN_SHARE * seconds)
    base.trainable = True
    tuned = _fit(model, 1e-5, _TUNED_EPOCHS, splits, begun + seconds)
    trained = time.monotonic() - begun
    test = model.evaluate(splits["test"], verbose=0, return_dict=True)
    return {
        "training_seconds": round(trained, 1),
        "test_accuracy": test["accuracy"],
        "test_log_loss": test["loss"],
        "validation_accuracy": tuned,
        "validation_accuracy_frozen": frozen,
    }


def _split(folder: Path, size: int, seed: int, *, augment: bool) -> tf.data.Dataset:
    """Images and classes of a folder per class, resized as Keras does."""
    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=(size, size), batch_size=_BATCH, seed=seed, verbose=False
    )
    if augment:
        changes = [keras.layers.RandomFlip("horizontal"), keras.layers.RandomRotation(0.1)]

        def change(images: Any, classes: Any) -> tuple[Any, Any]:
            for layer in changes:
                images = layer(images, training=True)
            return images, classes

        dataset = dataset.map(change, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE)


class _Until(keras.callbacks.Callback):
    """Ends a training behind the batch in which its time runs out."""

    def __init__(self, end: float) -> None:
        super().__init__()
        self._end = end

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        del batch, logs
        if time.monotonic() >= self._end:
            self.model.stop_training = True


def _fit(
    model: keras.Model, rate: float, epochs: int, splits: dict[str, tf.data.Dataset], end: float
) -> float:
    """Trains and returns the accuracy on the validation split."""
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    history = model.fit(
        splits["train"],
        validation_data=splits["validation"],
        epochs=epochs,
        callbacks=[_Until(end)],
        verbose=0,
    )
    return float(history.history["val_accuracy"][-1])


def main() -> None:
    """Trains as the guide does and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--image-size", type=int, default=160)
    options = parser.parse_args()
    result = guide(options.data, options.image_size, seed=0)
    print(json.dumps({"seconds": round(time.monotonic() - _BEGIN, 1), **result}))


if __name__ == "__main__":
    main()
