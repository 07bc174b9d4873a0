"""Every model of Keras Applications, each with its own preprocessing and default input size."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from models.backbone_names import APPLICATIONS
from models.errors import UsageError

_DOWNLOAD_TIMEOUT = 30.0
"""Seconds without a byte after which a download counts as failed."""


@keras.saving.register_keras_serializable(package="graft")
class ApplicationPreprocessing(keras.layers.Layer):
    """`keras.applications.<module>.preprocess_input` as a layer, so that it travels in the model.

    It computes in float32 under every policy: 0..255 does not fit half precision.
    """

    def __init__(self, module: str, **kwargs: Any) -> None:
        """Takes the name of a module of `keras.applications`, such as "resnet_v2"."""
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.module = module

    def call(self, inputs: Any) -> Any:
        """Preprocesses RGB in 0..255, [n, h, w, 3], the way the weights were trained."""
        return getattr(keras.applications, self.module).preprocess_input(inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Everything needed to build the layer again."""
        return {**super().get_config(), "module": self.module}


def build(name: str, image_size: int, *, imagenet: bool) -> keras.Model:
    """Builds a model of Keras Applications without its classifier.

    Args:
        name: a key of `APPLICATIONS`.
        image_size: side in pixels.
        imagenet: download (once) and load the ImageNet weights; else they are random.

    Returns:
        Flat model from float32 [n, s, s, 3] RGB in 0..255 to pooled features [n, d].

    Raises:
        UsageError: the images are too small for the model, or the download failed.
    """
    shape = (image_size, image_size, 3)
    inputs = keras.Input(shape, name="image")
    preprocessed = ApplicationPreprocessing(APPLICATIONS[name].module, name="preprocessing")(inputs)
    options = {
        "include_top": False,
        "input_tensor": preprocessed,
        "input_shape": shape,
        "pooling": "avg",
    }
    application = getattr(keras.applications, name)
    try:
        with _download_timeout():
            model = application(weights="imagenet" if imagenet else None, **options)
    except ValueError as error:
        raise UsageError(
            f"{name} cannot be built for images of {image_size} x {image_size} pixels with these "
            f"weights (its own size is {APPLICATIONS[name].size}): {error}"
        ) from error
    except Exception as error:
        # keras.utils.get_file raises bare Exception when a download fails.
        if not imagenet:
            raise
        raise UsageError(
            f"the ImageNet weights of {name} could not be downloaded: {error}. "
            "Use the backbone EfficientNetLite0, whose weights are installed with Graft, or set "
            "weights to the path of a .keras or .weights.h5 file saved where there is a network"
        ) from error
    # Named here: EfficientNetV2 looks up its own architecture by the name it is given.
    return keras.Model(inputs, model.output, name=name)


@contextmanager
def _download_timeout() -> Iterator[None]:
    """Bounds Keras' download, which otherwise waits for ever on a firewall that drops packets."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
