"""The yardstick of `whole_run.py`: Keras' guide to transfer learning, with EfficientNetLite0.

20 epochs with the base frozen, 10 with all of it at a low rate; images are flipped and turned
slightly; the last epoch's weights are tested. Nothing is validated, searched, exported or served.

    ./dev bench keras_guide --data DIR

prints one line of JSON. https://keras.io/guides/transfer_learning/
"""

import time

_BEGIN = time.monotonic()

import argparse  # noqa: E402 — the clock starts before the imports
import json  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from models.backbones import build_backbone  # noqa: E402

_BATCH = 32
_SEED = 0


def _split(folder: Path, size: int, *, augment: bool) -> tf.data.Dataset:
    """Images and classes of a folder per class, resized as Keras does."""
    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=(size, size), batch_size=_BATCH, seed=_SEED, verbose=False
    )
    if augment:
        changes = [keras.layers.RandomFlip("horizontal"), keras.layers.RandomRotation(0.1)]

        def change(images: Any, classes: Any) -> tuple[Any, Any]:
            for layer in changes:
                images = layer(images, training=True)
            return images, classes

        dataset = dataset.map(change, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE)


def _fit(model: keras.Model, rate: float, epochs: int, data: Path, size: int) -> float:
    """Trains and returns the accuracy on the validation split."""
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    history = model.fit(
        _split(data / "train", size, augment=True),
        validation_data=_split(data / "validation", size, augment=False),
        epochs=epochs,
        verbose=0,
    )
    return float(history.history["val_accuracy"][-1])


def main() -> None:
    """Trains as the guide does and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--image-size", type=int, default=160)
    options = parser.parse_args()
    data, size = options.data, options.image_size
    keras.utils.set_random_seed(_SEED)
    classes = sum(path.is_dir() for path in (data / "train").iterdir())

    base = build_backbone("EfficientNetLite0", "imagenet", size).model
    base.trainable = False
    inputs = keras.Input((size, size, 3))
    features = keras.layers.Dropout(0.2)(base(inputs, training=False))
    model = keras.Model(inputs, keras.layers.Dense(classes)(features))

    frozen = _fit(model, 1e-3, 20, data, size)
    base.trainable = True
    tuned = _fit(model, 1e-5, 10, data, size)
    test = model.evaluate(_split(data / "test", size, augment=False), verbose=0, return_dict=True)
    result = {
        "seconds": round(time.monotonic() - _BEGIN, 1),
        "test_accuracy": test["accuracy"],
        "validation_accuracy": tuned,
        "validation_accuracy_frozen": frozen,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
