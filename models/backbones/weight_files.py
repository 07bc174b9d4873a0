"""Weights of a backbone: loading them from the user's file, and naming them by their content."""

import hashlib
import warnings
from pathlib import Path

import keras
import numpy as np

from models.errors import UsageError

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def load_file(model: keras.Model, path: str) -> None:
    """Loads a file saved by Keras into a backbone.

    A `.keras` file may hold the backbone with a classifier on top, or one that Graft trained: its
    layers are taken in order as far as the backbone goes. A weights file (`.weights.h5`, or `.h5`
    as Keras downloads them) must come from the backbone alone.

    Args:
        model: the backbone.
        path: a `.keras`, `.weights.h5` or `.h5` file.

    Raises:
        UsageError: there is no such file, or it does not fit the backbone.
    """
    if not Path(path).is_file():
        raise UsageError(f"weights must be imagenet, none or the path of a file; {path} is no file")
    try:
        if path.endswith(".keras"):
            _copy_layers(keras.saving.load_model(path, compile=False), model)
        else:
            _load_completely(model, path)
    except Exception as error:
        # A file from anybody may break Keras anywhere; nested deeply enough, any reader of JSON.
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise UsageError(
            f"the weights in {path} do not fit {model.name}: {reason}. "
            "Save the whole model as .keras, or the weights of the backbone without its top"
        ) from error
    _settle_normalisation(model)


def digest(model: keras.Model) -> str:
    """Names the weights by their values.

    Returns:
        SHA-256 over shape, type and values of every weight in order, as 64 hex digits.
    """
    total = hashlib.sha256()
    for weight in model.weights:
        values = np.ascontiguousarray(keras.ops.convert_to_numpy(weight))
        total.update(f"{values.dtype}{values.shape}".encode())
        total.update(values.tobytes())
    return total.hexdigest()


def _load_completely(model: keras.Model, path: str) -> None:
    """Loads a weights file, and refuses one that leaves some weights as they were.

    Keras passes over what it does not find in the file with a warning at most (one that it also
    gives for whole files), so every weight is marked first.
    """
    marked = [weight for weight in model.weights if keras.backend.is_float_dtype(weight.dtype)]
    for weight in marked:
        weight.assign(keras.ops.full_like(weight, np.nan))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipping nested container", UserWarning)
        model.load_weights(path)
    for weight in marked:
        if np.isnan(keras.ops.convert_to_numpy(weight)).any():
            raise ValueError(f"it has no values for {weight.path}")


def _copy_layers(source: keras.Model, target: keras.Model) -> None:
    theirs = _weighted_layers(source)
    ours = _weighted_layers(target)
    if len(theirs) < len(ours):
        raise ValueError(f"it has {len(theirs)} layers with weights, not {len(ours)}")
    for own, other in zip(ours, theirs, strict=False):
        shapes = [tuple(weight.shape) for weight in own.weights]
        other_shapes = [tuple(weight.shape) for weight in other.weights]
        if shapes != other_shapes:
            raise ValueError(f"layer {other.name} has shapes {other_shapes}, not {shapes}")
        own.set_weights(other.get_weights())


def _weighted_layers(model: keras.Model) -> list[keras.layers.Layer]:
    layers: list[keras.layers.Layer] = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            layers += _weighted_layers(layer)
        elif layer.weights:
            layers.append(layer)
    return layers


def _settle_normalisation(model: keras.Model) -> None:
    """Makes normalisation layers use the statistics that were just loaded.

    It also gives EfficientNet B0 to B7 the scale that Keras adds only when it downloads the
    weights: with `weights="imagenet"` it puts one more rescaling, by 1 / sqrt(std), behind the
    normalisation (tensorflow issue 49930); built for a file of the same weights it does not, and
    the features are silently wrong. Multiplying the variance by std says the same.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            mean, variance = (keras.ops.convert_to_numpy(value) for value in layer.weights[:2])
            if np.allclose(mean, _IMAGENET_MEAN, atol=1e-3) and np.allclose(
                variance, np.square(_IMAGENET_STD), atol=1e-3
            ):
                layer.weights[1].assign(variance * np.array(_IMAGENET_STD, np.float32))
            layer.finalize_state()
