"""Sends real images through the real API and compares the answers with the trainer's.

Loading alone proves little: there are models that load and cannot predict. The model runs in a
server process of its own, as it will in production, and answers over both protocols.
"""

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from components.artifact_names import EXPECTED_FILE, SERVING_CHECK_FILE, SERVING_FOLDER
from components.serving_check.serving_settings import ServingSettings
from models.data import example_schema
from models.data.example_reader import read_records
from models.errors import GraftError
from models.storage.seals import tree_digest
from serving.client import Predictions, predict_grpc, predict_rest
from serving.server_process import ServerProcess

_ANSWER_SECONDS = 600.0
"""Against a model that hangs; on a busy machine an answer may take long."""
_CLASS: Final = "the class"
"""Beside the names of further columns, which hold no blank."""


@dataclass(frozen=True)
class Expected:
    """Images and what the trainer's own model says about them.

    Attributes:
        names: of the images, n of them.
        images: their encoded bytes.
        probabilities: float32 [n, classes].
        further: the same of further label columns, by the column.
    """

    names: tuple[str, ...]
    images: tuple[bytes, ...]
    probabilities: NDArray[np.float32]
    further: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answered:
    """How one protocol did.

    Attributes:
        passed: whether every answer matched.
        reason: what was wrong, empty if nothing.
        max_abs_difference: of any probability from the trainer's; None without an answer.
        milliseconds: of a request with one image, once warm; None without an answer.
        url: where the server answered.
    """

    passed: bool
    reason: str
    max_abs_difference: float | None
    milliseconds: float | None
    url: str


@dataclass(frozen=True)
class ServingReport:
    """Result of the check, which is also the content of its file.

    Attributes:
        passed: whether the model may be pushed.
        reason: one sentence.
        images: names of the images that were sent.
        rest: over REST; None if the check did not come so far.
        grpc: over gRPC; likewise.
        export_digest: `models.storage.seals.tree_digest` of the export that was served; empty if
            none was.
    """

    passed: bool
    reason: str
    images: tuple[str, ...] = ()
    rest: Answered | None = None
    grpc: Answered | None = None
    export_digest: str = ""

    def write(self, directory: Path) -> None:
        """Writes `serving_check.json` into `directory`."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (directory / SERVING_CHECK_FILE).write_text(text + "\n", encoding="utf-8")


def read_expected(model_uri: str, examples_uri: str, limit: int) -> Expected:
    """Finds the images of a model's `expected.json` among the validation examples.

    Args:
        model_uri: directory of the Model artifact.
        examples_uri: directory of the Examples artifact that it was trained on.
        limit: most images to take.

    Raises:
        GraftError: none is listed, or one is not among the examples.
    """
    path = Path(model_uri) / EXPECTED_FILE
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))[:limit]
    if not entries:
        raise GraftError(f"{path} lists no image, so the model cannot be checked.")
    wanted = {(entry["name"], entry["sha256"]) for entry in entries}
    found = {}
    for record in read_records(examples_uri, example_schema.VALIDATION):
        if (record.name, record.sha256) in wanted:
            found[record.name, record.sha256] = record.image
            if len(found) == len(wanted):
                break
    missing = [entry["name"] for entry in entries if (entry["name"], entry["sha256"]) not in found]
    if missing:
        names = ", ".join(missing)
        raise GraftError(f"Images of {path} are not among the validation examples: {names}.")
    columns = entries[0].get("further_labels", {})
    return Expected(
        names=tuple(entry["name"] for entry in entries),
        images=tuple(found[entry["name"], entry["sha256"]] for entry in entries),
        probabilities=np.array([entry["probabilities"] for entry in entries], dtype=np.float32),
        further={
            column: np.array([entry["further_labels"][column] for entry in entries], np.float32)
            for column in columns
        },
    )


def check_serving(
    model_uri: str,
    examples_uri: str,
    settings: ServingSettings,
    log: Path,
) -> ServingReport:
    """Serves a model and asks it about images; whatever goes wrong is in the report.

    Args:
        model_uri: directory of the Model artifact.
        examples_uri: directory of the Examples artifact that it was trained on.
        settings: name in the API, most images to send, tolerance.
        log: where the server's words go.
    """
    export = Path(model_uri) / SERVING_FOLDER
    digest = tree_digest(export)
    with tempfile.TemporaryDirectory(prefix="graft-check-") as folder:
        (Path(folder) / "1").symlink_to(export.absolute())
        try:
            with ServerProcess(settings.model_name, Path(folder), log) as server:
                expected = read_expected(model_uri, examples_uri, settings.check_images)
                addresses = server.wait()
                rest = _ask(predict_rest, addresses.url, expected, settings)
                grpc = _ask(predict_grpc, addresses.target, expected, settings)
        except GraftError as error:
            return ServingReport(passed=False, reason=str(error))
    wrong = [f"{api}: {a.reason}" for api, a in (("REST", rest), ("gRPC", grpc)) if not a.passed]
    reason = (
        " ".join(wrong) or f"REST and gRPC answer as the trainer, on {len(expected.names)} images."
    )
    return ServingReport(not wrong, reason, expected.names, rest, grpc, digest)


def _ask(
    predict: Callable[[str, str, Sequence[bytes], float], Predictions],
    address: str,
    expected: Expected,
    settings: ServingSettings,
) -> Answered:
    try:
        answer = predict(address, settings.model_name, expected.images, _ANSWER_SECONDS)
        started = time.perf_counter()
        predict(address, settings.model_name, expected.images[:1], _ANSWER_SECONDS)
        milliseconds = 1000 * (time.perf_counter() - started)
    except GraftError as error:
        return Answered(False, str(error), None, None, address)
    reason, largest = _compared(answer, expected, settings.tolerance)
    return Answered(not reason, reason, largest, milliseconds, address)


def _compared(
    answer: Predictions, expected: Expected, tolerance: float
) -> tuple[str, float | None]:
    """What is wrong with an answer, empty for nothing, and its largest difference."""
    served = {_CLASS: answer.probabilities} | {
        column: told.probabilities for column, told in answer.further.items()
    }
    wanted = {_CLASS: expected.probabilities, **expected.further}
    if served.keys() != wanted.keys():
        return f"It answers {', '.join(served)}; the trainer {', '.join(wanted)}.", None
    largest = 0.0
    for column, right in wanted.items():
        given, of = served[column], "" if column == _CLASS else f" of {column}"
        if given.shape != right.shape:
            shapes = f"the shape {given.shape}; the trainer's have {right.shape}"
            return f"The probabilities{of} have {shapes}.", None
        # A NaN is as wrong as can be, and no comparison says so by itself.
        differences = np.nan_to_num(np.abs(given - right), nan=np.inf)
        worst = int(differences.max(axis=1).argmax())
        largest = max(largest, float(differences.max()))
        if largest > tolerance:
            reason = (
                f"A probability{of} of {expected.names[worst]!r} differs by {largest:.3g} from the "
                f"trainer's; at most {tolerance:g} is allowed (serving.tolerance)."
            )
            return reason, largest
    return "", largest
