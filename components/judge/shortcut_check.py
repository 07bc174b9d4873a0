"""Looks on the test images whether the served model takes shortcuts."""

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from components.evaluation.evaluation_settings import EvaluationSettings
from components.exported_models.exported_model import ExportedModel
from components.judge.checks import Check
from components.judge.occlusion import Floats, Shortcut, find_shortcuts
from components.judge.prediction_file import Predictions
from models import progress
from models.data import example_schema
from models.data.example_reader import read_records
from models.data.image_decoding import compiled_decoding
from models.wording import counted

NAME: Final = "shortcuts"
"""Key of the severity in `evaluation`."""
_IMAGES: Final = 80
"""At most; each is asked about once for each part of the picture."""
_LEAST: Final = 4
"""Images of a class; fewer show nothing."""
_CLASSES: Final = _IMAGES // _LEAST


@dataclass(frozen=True)
class Looked:
    """What came of the look.

    Attributes:
        found: shortcuts.
        classes: whose images were looked at.
        of: all classes of the model.
    """

    found: tuple[Shortcut, ...]
    classes: int
    of: int


def look_for_shortcuts(
    model: ExportedModel, predictions: Predictions, examples_uri: str
) -> Looked | None:
    """Covers parts of a few test images of each class, and asks the model again.

    Args:
        model: that was judged; it says the square that its images become.
        predictions: of it, on the test split.
        examples_uri: directory of the Examples artifact.

    Returns:
        What was found; None where too few images are answered rightly, or the model does not say
        what its images become.
    """
    chosen = _chosen(predictions)
    classes = len(np.unique(predictions.truth[chosen]))
    if model.spec is None or classes < 2:
        return None
    names = {predictions.names[row]: place for place, row in enumerate(chosen)}
    decode = compiled_decoding(model.spec)
    images = np.zeros((len(chosen), model.spec.size, model.spec.size, 3), np.float32)
    for record in read_records(examples_uri, example_schema.TEST):
        if record.name in names:
            images[names[record.name]] = decode(tf.constant(record.image)).numpy()
    asked = _Asked(model)
    found = find_shortcuts(images, predictions.truth[chosen], model.classes, asked)
    return Looked(found, classes, len(predictions.classes))


def check_shortcuts(looked: Looked | None, settings: EvaluationSettings) -> Check:
    """Says which classes are answered by a part of the picture; fails where that is an error."""
    if looked is None:
        words = (
            f"Nobody looked for shortcuts: that takes {_LEAST} test images that are answered "
            "rightly of each of two classes or more"
        )
        return Check(NAME, True, None, None, words)
    found = looked.found
    if not found:
        words = f"{_none_of(looked)} is answered by a fixed part of the picture alone"
        return Check(NAME, True, 0.0, None, words)
    told = "; ".join(
        f"{each.label!r} by the part {each.region} (covering it takes {each.loss:.2f} of its "
        f"probability and {each.others_loss:.2f} of the next class's; put into images of other "
        f"classes it brings {each.gain:.2f})"
        for each in found
    )
    words = (
        f"{counted(len(found), 'class', 'classes')} may be answered by a fixed part of "
        f"the picture, such as a watermark: {told}. Look at the images; crop or cover that part "
        "in all of them"
    )
    passed = settings.shortcuts != "error"
    if not passed:
        words += ", or set evaluation.shortcuts: warning"
    return Check(NAME, passed, max(each.gain for each in found), None, words)


def _none_of(looked: Looked) -> str:
    if looked.classes == looked.of:
        return "No class"
    return f"None of the {looked.classes} classes that were looked at, of {looked.of},"


def _chosen(predictions: Predictions) -> NDArray[np.intp]:
    """Rows of a few images of each class that are answered rightly, of the commonest classes."""
    right = np.flatnonzero(predictions.right)
    truth = predictions.truth[right]
    counts = np.bincount(truth, minlength=len(predictions.classes))
    commonest = [each for each in np.argsort(-counts, kind="stable") if counts[each] >= _LEAST]
    commonest = commonest[:_CLASSES]
    each_class = _IMAGES // max(len(commonest), 1)
    rows = [right[truth == each][:each_class] for each in commonest]
    return np.concatenate(rows) if rows else np.zeros(0, np.intp)


class _Asked:
    """Asks the served model about pixels: as PNG files of its own square, which it leaves alone."""

    def __init__(self, model: ExportedModel) -> None:
        self._model = model
        self._images = 0

    def __call__(self, images: Floats) -> Floats:
        self._images += len(images)
        progress.report(self._images, None, "images", "looking for shortcuts")
        return self._model.answer([_png(image) for image in np.clip(images, 0, 255)])


def _png(image: Floats) -> bytes:
    buffer = io.BytesIO()
    # Read once, at once: packing it would take longer than all the rest.
    Image.fromarray(np.rint(image).astype(np.uint8)).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()
