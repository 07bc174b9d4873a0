"""`graft predict`: classifies image files with the pushed model."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from models.errors import BadDataError
from pipeline.answers import Answer, Form, Writer, writer
from pipeline.image_files import Found, ImageFile, find, read
from pipeline.served_model import Served
from pipeline.terminal.quiet import import_tensorflow
from serving.client import (
    PredictionError,
    Predictions,
    RequestRefusedError,
    predict_grpc,
    predict_rest,
)
from serving.server_process import ServerProcess

_BATCH = 32
_BATCH_BYTES = 32 * 2**20

_Ask = Callable[[Sequence[bytes]], Predictions]


@dataclass(frozen=True)
class Servers:
    """Who is asked.

    Attributes:
        rest: address of a running server's REST port; None for none.
        grpc: address of a running server's gRPC port; None for none.
    """

    rest: str | None = None
    grpc: str | None = None


def predict(model: Served, paths: Sequence[Path], servers: Servers, form: Form) -> int:
    """Prints the likeliest class of each image, in the order given, as the answers come.

    Asks the servers that are named; where none is, starts one for as long as it takes.

    Args:
        model: the pushed model.
        paths: image files, and folders that are walked.
        servers: to ask.
        form: of what is printed.

    Returns:
        The exit code: 0, or that of bad data where something could not be classified.

    Raises:
        UsageError: what is named is no server's address.
        PredictionError: the server does not answer; what it answered before was printed.
    """
    counts: Counter[str] = Counter()
    output = writer(form)
    with ExitStack() as stack:
        asked = _Asked(model, servers, output.asks_once, stack)
        for batch in _batches(find(paths), model, counts):
            try:
                _answer(batch, asked, output, counts)
            except PredictionError as error:
                raise _interrupted(error, counts) from error
            sys.stdout.flush()
    if counts["passed over"] or counts["not classified"] or any(map(os.path.isdir, paths)):
        told = [f"{counts[key]:,} {key}" for key in ("classified", "not classified", "passed over")]
        print(f"graft: {', '.join(told)}.", file=sys.stderr)
    return BadDataError.exit_code if counts["not classified"] else 0


class _Asked:
    """The APIs that are asked, by name; a server of its own is started by the first image."""

    def __init__(self, model: Served, servers: Servers, asks_once: bool, stack: ExitStack) -> None:
        self._model = model
        self._asks_once = asks_once
        self._stack = stack
        self._apis = self._of(servers)

    def apis(self) -> dict[str, _Ask]:
        if not self._apis:
            model = self._model
            process = ServerProcess(model.name, model.directory)
            addresses = self._stack.enter_context(process).wait()
            grpc = None if self._asks_once else addresses.target
            self._apis = self._of(Servers(addresses.url, grpc))
        return self._apis

    def _of(self, servers: Servers) -> dict[str, _Ask]:
        name, apis = self._model.name, dict[str, _Ask]()
        if servers.rest:
            url = servers.rest if "://" in servers.rest else f"http://{servers.rest}"
            apis["REST"] = lambda images: predict_rest(url, name, images)
        if target := servers.grpc:
            import_tensorflow()
            apis["gRPC"] = lambda images: predict_grpc(target, name, images)
        return apis


def _batches(
    found: Iterator[Found], model: Served, counts: Counter[str]
) -> Iterator[list[ImageFile]]:
    """Reads what was found, so much at a time as a request and the memory hold."""
    batch: list[ImageFile] = []
    for each in found:
        if each.is_passed_over:
            counts["passed over"] += 1
            continue
        failed = ImageFile(each.path, error=each.error)
        batch.append(failed if each.error else read(each.path, model))
        if len(batch) == _BATCH or sum(len(file.encoded) for file in batch) > _BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _answer(batch: list[ImageFile], asked: _Asked, output: Writer, counts: Counter[str]) -> None:
    readable = [file for file in batch if file.encoded]
    images = [file.encoded for file in readable]
    apis = asked.apis() if images else {}
    answers = {api: iter(ask_each(ask, images)) for api, ask in apis.items()}
    for file in batch:
        told = {api: next(answer) for api, answer in answers.items()} if file.encoded else {}
        errors = [each for each in told.values() if isinstance(each, str)]
        error = file.error or "".join(errors[:1])
        if error:
            output.failed(file.path, error)
        else:
            given = {api: each for api, each in told.items() if isinstance(each, Answer)}
            output.answered(file.path, given)
        counts["not classified" if error else "classified"] += 1


def ask_each(ask: _Ask, images: Sequence[bytes]) -> list[Answer | str]:
    """Asks about images; one that the server refuses is found by halving.

    Args:
        ask: sends a request.
        images: encoded, at least one.

    Returns:
        For each image the answer or, in words, why there is none.

    Raises:
        PredictionError: the server does not answer.
    """
    try:
        given = ask(images)
    except RequestRefusedError as error:
        if len(images) == 1:
            return [f"was refused: {error}"]
        middle = len(images) // 2
        return ask_each(ask, images[:middle]) + ask_each(ask, images[middle:])
    named = zip(given.labels, given.scores, strict=True)
    return [Answer(labels[0], float(scores[0])) for labels, scores in named]


def _interrupted(error: PredictionError, counts: Counter[str]) -> PredictionError:
    """Says where the answers end, so that one can go on from there."""
    done = counts["classified"] + counts["not classified"]
    return (
        PredictionError(f"{error} The first {done:,} images were done before.") if done else error
    )
