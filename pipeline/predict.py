"""`graft predict`: classifies image files with the pushed model."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from models.errors import BadDataError, UsageError
from models.normalise import ImageRefusedError, Range, normalise
from pipeline.served import Served
from pipeline.terminal.quiet import import_tensorflow
from serving.client import Predictions, predict_grpc, predict_rest
from serving.process import ServerProcess

_BATCH = 32


def predict(
    model: Served,
    files: Sequence[Path],
    rest_url: str | None,
    grpc_target: str | None,
    as_json: bool,
) -> int:
    """Prints the likeliest classes of each image.

    Asks the server that is named; where none is, starts one for as long as it takes and asks it
    over both REST and gRPC.

    Args:
        model: the pushed model.
        files: of the images.
        rest_url: address of a server's REST port.
        grpc_target: address of a server's gRPC port.
        as_json: print one JSON object an image: file, label, score.

    Raises:
        UsageError: a file cannot be read.
        BadDataError: a file is no image that ingest would take.
        PredictionError: the server does not answer.
    """
    images = [_read(file, model.max_pixels, model.sample_range) for file in files]
    if rest_url or grpc_target:
        if rest_url:
            _ask(_rest(rest_url, model.name), "REST", files, images, as_json)
        if grpc_target:
            _ask(_grpc(grpc_target, model.name), "gRPC", files, images, as_json)
        return 0
    with ServerProcess(model.name, model.directory) as server:
        addresses = server.wait()
        _ask(_rest(addresses.url, model.name), "REST", files, images, as_json)
        if not as_json:
            _ask(_grpc(addresses.target, model.name), "gRPC", files, images, as_json)
    return 0


def _read(file: Path, max_pixels: int, sample_range: Range) -> bytes:
    try:
        return normalise(file.read_bytes(), max_pixels, sample_range).encoded
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except ImageRefusedError as error:
        raise BadDataError(f"{file} is no image that can be classified: {error.reason}.") from None


_Ask = Callable[[Sequence[bytes]], Predictions]


def _rest(url: str, name: str) -> _Ask:
    address = url if "://" in url else f"http://{url}"
    return lambda images: predict_rest(address, name, images)


def _grpc(target: str, name: str) -> _Ask:
    import_tensorflow()
    return lambda images: predict_grpc(target, name, images)


def _ask(
    ask: _Ask, api: str, files: Sequence[Path], images: Sequence[bytes], as_json: bool
) -> None:
    for start in range(0, len(images), _BATCH):
        answers = ask(images[start : start + _BATCH])
        for index, file in enumerate(files[start : start + _BATCH]):
            label, score = answers.labels[index], float(answers.scores[index])
            if as_json:
                told = {"file": str(file), "label": label, "score": score}
                print(json.dumps(told, ensure_ascii=False))
            else:
                print(f"{api:<5} {file}  {label}  {score:.3f}")
