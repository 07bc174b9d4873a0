"""A classifier as an ONNX model: making one and running one, with packages of the extra `onnx`."""

import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from models.edge.contract import INPUT, OUTPUT
from models.edge.package import texts
from models.errors import GraftError, UsageError


def check_packages() -> None:
    """Makes sure that the extra is installed; nothing else here works without.

    Raises:
        UsageError: a package is missing.
    """
    missing = [name for name in ("tf2onnx", "onnx", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"The format onnx needs {', '.join(missing)}, which does not come with Graft. Install "
            "it as an extra: pip install 'graft[onnx]'."
        )


def convert(model: keras.Model) -> bytes:
    """Makes an ONNX model that computes in float32.

    It takes `image` float32 [n, s, s, 3], RGB in 0..255, and gives `probabilities` float32 [n, k].

    Args:
        model: of the same, in Keras.

    Raises:
        GraftError: ONNX cannot express the model.
    """
    import onnx

    signature = keras.InputSpec(dtype="float32", shape=model.input_shape, name=INPUT)
    with tempfile.TemporaryDirectory(prefix="graft-onnx-") as folder:
        file = Path(folder) / "model.onnx"
        try:
            model.export(file, format="onnx", verbose=False, input_signature=[signature])
        except Exception as error:  # the converter raises bare ones, too
            reason = str(error).strip().partition("\n")[0]
            raise GraftError(f"ONNX cannot express this model: {reason}") from error
        made = onnx.load(file)
    (output,) = made.graph.output
    made.graph.node.append(onnx.helper.make_node("Identity", [output.name], [OUTPUT]))
    output.name = OUTPUT
    onnx.checker.check_model(made)
    content: bytes = made.SerializeToString()
    return content


def described(content: bytes, labels: Sequence[str], description: Mapping[str, Any]) -> bytes:
    """Puts the labels and the description into the model's metadata, under the names of files."""
    import onnx

    made = onnx.load_from_string(content)
    onnx.helper.set_model_props(made, texts(labels, description))
    changed: bytes = made.SerializeToString()
    return changed


class OnnxModel:
    """See `models.edge.contract.Runner`."""

    def __init__(self, content: bytes) -> None:
        """Loads what `convert` made."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )

    def probabilities(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Classifies one image."""
        answer: NDArray[np.float32] = self._session.run([OUTPUT], {INPUT: image[None]})[0]
        return answer[0]
