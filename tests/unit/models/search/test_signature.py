"""Who may take part in a search that is served to other machines."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from models.backbone_choice.backbone_choice import Candidate
from models.errors import GraftError, UsageError
from models.search.search_task import SearchTask
from models.search.workers import search_worker
from models.search.workers.chief_client import ChiefClient
from models.search.workers.messages import MARK, SERVICE, Answer, Report
from models.search.workers.search_server import LOOPBACK, serving
from models.search.workers.served_search import ServedSearch, read_served, write_served
from models.search.workers.signature import read_secret
from models.training.training_settings import TrainingSettings

SECRET = b"sixteen bytes or more"


def served(*, is_signed: bool) -> ServedSearch:
    task = SearchTask(
        examples_uri="nowhere",
        labels=("a", "b"),
        candidates=(Candidate(backbone="EfficientNetLite0", weights="none", image_size=32),),
        resize="stretch",
        features="all",
        training=TrainingSettings(),
        seed=0,
        embeddings="nowhere",
        activations="nowhere",
    )
    return ServedSearch(mark="m", address=LOOPBACK, code="c", task=task, is_signed=is_signed)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Of a search that is served with the secret."""
    with serving(served(is_signed=True), tmp_path, SECRET):
        yield tmp_path


def beat(folder: Path, secret: bytes) -> None:
    client = ChiefClient(folder, read_served(folder), 20.0, secret)
    try:
        client.beat(Report())
    finally:
        client.close()


def test_who_knows_the_secret_takes_part(folder: Path) -> None:
    beat(folder, SECRET)


@pytest.mark.parametrize("secret", [b"", b"another of sixteen bytes"])
def test_who_does_not_know_it_is_refused(folder: Path, secret: bytes) -> None:
    with pytest.raises(GraftError, match=r"refused: .*--secret"):
        beat(folder, secret)


def test_a_call_without_any_signature_is_refused(folder: Path) -> None:
    with grpc.insecure_channel(read_served(folder).address) as channel:
        call = channel.unary_unary(f"/{SERVICE}/beat")
        with pytest.raises(grpc.RpcError) as refusal:
            call(Report().model_dump_json().encode(), metadata=((MARK, "m"),), timeout=20)
    assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_a_worker_without_a_secret_hears_that_it_needs_one(folder: Path) -> None:
    with pytest.raises(UsageError, match="--secret"):
        search_worker.work(folder, code="c")


def test_a_worker_takes_no_work_of_who_does_not_know_the_secret(tmp_path: Path) -> None:
    answer = Answer().model_dump_json().encode()
    method = grpc.unary_unary_rpc_method_handler(lambda _content, _context: answer)
    impostor = grpc.server(ThreadPoolExecutor(1))
    handlers = grpc.method_handlers_generic_handler(SERVICE, {"beat": method})
    impostor.add_generic_rpc_handlers((handlers,))
    port = impostor.add_insecure_port(LOOPBACK)
    address = {"address": f"127.0.0.1:{port}"}
    write_served(tmp_path, served(is_signed=True).model_copy(update=address))
    impostor.start()
    try:
        with pytest.raises(GraftError, match="does not know the secret"):
            beat(tmp_path, SECRET)
    finally:
        impostor.stop(None).wait()


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read"), (b"short\n", "got 5"), (b"x" * 5000, "got 5000")],
)
def test_what_is_no_secret_is_refused(content: bytes | None, says: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        read_secret(str(file))


def test_white_space_around_a_secret_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b" " + SECRET + b"\r\n")
    assert read_secret(str(tmp_path / "secret")) == SECRET
    assert read_secret("") == b""
