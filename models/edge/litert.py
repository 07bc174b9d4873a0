"""A classifier as a LiteRT (formerly TensorFlow Lite) model: making one and running one."""

import warnings

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.edge.contract import INPUT, OUTPUT
from models.errors import GraftError
from models.inference import frozen_forward


def convert(model: keras.Model, calibration: NDArray[np.uint8] | None = None) -> bytes:
    """Makes a LiteRT model that computes in float32, or with a calibration set in int8.

    Its signature takes `image` [1, s, s, 3], RGB in 0..255, float32 or for int8 uint8, and gives
    `probabilities` float32 [1, k].

    Args:
        model: from float32 [n, s, s, 3], RGB in 0..255, to probabilities [n, k].
        calibration: uint8 [m, s, s, 3]; the ranges that the integers stand for are those that the
            activations take on these images. None for float32.

    Raises:
        GraftError: LiteRT cannot express the model.

    Reference: Jacob et al., Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference, 2018.
    """
    # The converter warns that statistics of the inputs are not given, which calibration replaces.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            content: bytes = _converter(model, calibration).convert()
        except Exception as error:  # the converter raises bare ones, too
            reason = str(error).strip().partition("\n")[0]
            raise GraftError(f"LiteRT cannot express this model: {reason}") from error
    if calibration is not None:
        _check_pixels_are_taken(LiteRtModel(content))
    return content


class LiteRtModel:
    """See `models.edge.contract.Runner`."""

    def __init__(self, content: bytes) -> None:
        """Loads what `convert` made."""
        with warnings.catch_warnings():
            # It says where the interpreter lives from the next TensorFlow on.
            warnings.simplefilter("ignore", UserWarning)
            interpreter = tf.lite.Interpreter(model_content=content)
        self._run = interpreter.get_signature_runner()
        details = self._run.get_input_details()[INPUT]
        self._dtype = np.dtype(details["dtype"])
        self.quantization: tuple[float, int] = details["quantization"]
        """What one step of the input is in units of a pixel, and the step that stands for 0."""

    def probabilities(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Classifies one image."""
        pixels = np.rint(image) if self._dtype == np.uint8 else image
        answer: NDArray[np.float32] = self._run(**{INPUT: pixels[None].astype(self._dtype)})[OUTPUT]
        return answer[0]


def _converter(
    model: keras.Model, calibration: NDArray[np.uint8] | None
) -> tf.lite.TFLiteConverter:
    forward = frozen_forward(model)
    spec = tf.TensorSpec([1, *model.input_shape[1:]], tf.float32, name=INPUT)

    @tf.function(input_signature=[spec], autograph=False)
    def classify(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT: forward(image)}

    module = tf.Module()
    module.classify = classify
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [classify.get_concrete_function()], module
    )
    if calibration is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            {INPUT: image[None].astype(np.float32)} for image in calibration
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
    return converter


def _check_pixels_are_taken(model: LiteRtModel) -> None:
    """A step of another size would make pixels something else than what they are."""
    step, zero = model.quantization
    if not np.isclose(step, 1.0, rtol=1e-5) or zero != 0:
        raise GraftError(
            f"The int8 model counts pixels in steps of {step:g} from {zero}, not in ones from 0: "
            "the calibration images must reach from 0 to 255."
        )
