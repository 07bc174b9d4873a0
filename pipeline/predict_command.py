"""`graft predict`: classifies image files with the pushed model."""

import os
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from models.errors import BadDataError
from pipeline.answer_page import AnswerPage
from pipeline.answers import Form, Writer, writer
from pipeline.explained_answers import HeatPictures, check_explains, check_outside
from pipeline.image_files import Found, ImageFile, find, read
from pipeline.served_model import Served
from pipeline.terminal.quiet import import_tensorflow
from serving.client import (
    Answer,
    GraftClient,
    Options,
    PredictionError,
    RequestRefusedError,
)
from serving.client.address import as_grpc
from serving.server_process import ServerProcess

_BATCH: Final = 32
_EXPLAINED_BATCH: Final = 8
"""To explain takes three times the memory."""
_BATCH_BYTES: Final = 32 * 2**20
_MOST_AT_ONCE: Final = 4
"""Batches that are under way while more files are read."""

_Asked = dict[str, "Future[list[Answer | RequestRefusedError]]"]


@dataclass(frozen=True)
class Servers:
    """Who is asked.

    Attributes:
        rest: address of a running server's REST port; None for none.
        grpc: address of a running server's gRPC port; None for none.
        options: how.
    """

    rest: str | None = None
    grpc: str | None = None
    options: Options = field(default_factory=Options)


def predict(
    model: Served,
    paths: Sequence[Path],
    servers: Servers,
    form: Form,
    page_file: Path | None = None,
    explain_in: Path | None = None,
) -> int:
    """Prints the likeliest class of each image, in the order given, as the answers come.

    Asks the servers that are named; where none is, starts one for as long as it takes.

    Args:
        model: the pushed model.
        paths: image files, and folders that are walked.
        servers: to ask.
        form: of what is printed.
        page_file: for a page with the pictures; None for none.
        explain_in: folder for pictures that show where the model saw what it answers; the page
            shows them too. None to ask for none.

    Returns:
        The exit code: 0, or that of bad data where something could not be classified.

    Raises:
        UsageError: what is named is no server's address, the pushed model cannot explain, or the
            pictures would lie among the images.
        PredictionError: the server does not answer; what it answered before was printed.
        GraftError: the page or the folder cannot be written.
    """
    counts: Counter[str] = Counter()
    output = writer(form, model.further_labels)
    page = AnswerPage(page_file, model.name) if page_file else None
    writers: list[Writer] = [each for each in (output, page) if each]
    if explain_in is not None:
        check_outside(explain_in, paths)
        if not (servers.rest or servers.grpc):
            check_explains(model)
        writers.append(HeatPictures(explain_in))
    try:
        with ExitStack() as stack:
            explains = explain_in is not None
            apis = _Apis(model, servers, output.asks_once, explains, stack)
            most = _EXPLAINED_BATCH if explains else _BATCH
            for batch, asked in _asked(_batches(find(paths), model, counts, most), apis):
                _write(batch, asked, writers, counts)
    except PredictionError as error:
        raise _interrupted(error, counts) from error
    finally:
        if page:
            page.write()
    if counts["passed over"] or counts["not classified"] or any(map(os.path.isdir, paths)):
        told = [f"{counts[key]:,} {key}" for key in ("classified", "not classified", "passed over")]
        print(f"graft: {', '.join(told)}.", file=sys.stderr)
    return BadDataError.exit_code if counts["not classified"] else 0


class _Apis:
    """The APIs that are asked, by name; a server of its own is started by the first image."""

    def __init__(
        self, model: Served, servers: Servers, asks_once: bool, explains: bool, stack: ExitStack
    ) -> None:
        self._model = model
        self._explains = explains
        self._options = servers.options
        self._asks_once = asks_once
        self._stack = stack
        self._clients = self._of(servers.rest, servers.grpc)

    def submit(self, images: list[bytes]) -> _Asked:
        """Begins to ask; nobody is asked about nothing."""
        if images and not self._clients:
            # To warm up each signature takes longer than to ask the one that is asked here.
            flags = ["--enable_model_warmup=false"]
            process = ServerProcess(self._model.name, self._model.directory, flags=flags)
            addresses = self._stack.enter_context(process).wait()
            self._clients = self._of(addresses.url, None if self._asks_once else addresses.target)
        return {
            api: client.submit(images, explain=self._explains)
            for api, client in self._clients.items()
        }

    def _of(self, rest: str | None, grpc: str | None) -> dict[str, GraftClient]:
        addresses = {"REST": rest, "gRPC": grpc and as_grpc(grpc)}
        if grpc:
            import_tensorflow()
        return {
            api: self._stack.enter_context(GraftClient(address, self._model.name, **self._options))
            for api, address in addresses.items()
            if address
        }


def _batches(
    found: Iterator[Found], model: Served, counts: Counter[str], most: int
) -> Iterator[list[ImageFile]]:
    """Reads what was found, so much at a time as a request and the memory hold."""
    batch: list[ImageFile] = []
    for each in found:
        if each.is_passed_over:
            counts["passed over"] += 1
            continue
        failed = ImageFile(each.path, error=each.error)
        batch.append(
            failed if each.error else read(each.path, model.max_pixels, model.sample_range)
        )
        if len(batch) == most or sum(len(file.encoded) for file in batch) > _BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _asked(
    batches: Iterator[list[ImageFile]], apis: _Apis
) -> Iterator[tuple[list[ImageFile], _Asked]]:
    """Asks about some batches ahead, and gives them in their order."""
    waiting: deque[tuple[list[ImageFile], _Asked]] = deque()
    for batch in batches:
        waiting.append((batch, apis.submit([file.encoded for file in batch if file.encoded])))
        while waiting and (len(waiting) == _MOST_AT_ONCE or _is_answered(waiting[0][1])):
            yield waiting.popleft()
    yield from waiting


def _is_answered(asked: _Asked) -> bool:
    return all(future.done() for future in asked.values())


def _write(
    batch: list[ImageFile], asked: _Asked, writers: Sequence[Writer], counts: Counter[str]
) -> None:
    answers = {api: iter(future.result()) for api, future in asked.items()}
    for file in batch:
        told = {api: next(each) for api, each in answers.items()} if file.encoded else {}
        refused = [each for each in told.values() if isinstance(each, RequestRefusedError)]
        error = file.error or (f"was refused: {refused[0]}" if refused else "")
        for each in writers:
            if error:
                each.failed(file.path, error)
            else:
                given = {api: said for api, said in told.items() if isinstance(said, Answer)}
                each.answered(file, given)
        counts["not classified" if error else "classified"] += 1
    sys.stdout.flush()


def _interrupted(error: PredictionError, counts: Counter[str]) -> PredictionError:
    """Says where the answers end, so that one can go on from there."""
    done = counts["classified"] + counts["not classified"]
    return (
        PredictionError(f"{error} The first {done:,} images were done before.") if done else error
    )
