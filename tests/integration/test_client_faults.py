"""The client against servers that stall, die, lie, flood and refuse."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scripted_server import (
    Script,
    answer,
    death,
    dribble,
    error,
    flood,
    outputs,
    reply,
    scripted_server,
    silence,
)

from models.errors import UsageError
from serving.client import (
    Answer,
    AsyncGraftClient,
    GraftClient,
    PredictionError,
    RequestRefusedError,
    rest,
)

_IMAGES = [b"one", b"two"]
_BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _told(*scripts: Script, timeout: float = 30.0, **options) -> tuple[str, int]:
    """The words of the error, and how many requests it took."""
    with (
        scripted_server(*scripts) as server,
        GraftClient(server.url, "m", timeout=timeout, **options) as client,
        pytest.raises(PredictionError) as raised,
    ):
        client.predict(_IMAGES)
    return str(raised.value).replace(server.url, "URL"), len(server.requests)


@pytest.mark.parametrize(
    "script",
    [
        silence,
        dribble(b"", b"H"),
        dribble(b"HTTP/1.1 200 OK\r\n", b"X-Drop: 1\r\n"),
        dribble(_BEGUN, b" "),
        dribble(_CHUNKED, b"1\r\n \r\n"),
    ],
    ids=["silent", "status", "headers", "body", "chunks"],
)
def test_a_server_that_stalls_is_waited_for_so_long_and_no_longer(script: Script) -> None:
    words, requests = _told(script, timeout=0.4)
    assert words == "The server at URL did not answer within 0.4 s."
    assert requests == 1


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n", _BEGUN + b'{"outputs": '])
def test_a_server_that_dies_in_the_midst_of_it_is_asked_again(begun: bytes) -> None:
    with scripted_server(death(begun), answer) as server, GraftClient(server.url, "m") as client:
        predictions = client.predict(_IMAGES)
        assert predictions.labels == (("red", "dark"),) * 2
        np.testing.assert_array_equal(predictions.scores, [[0.625, 0.25]] * 2)
        first, second = server.requests
        assert first.headers["x-request-id"] == second.headers["x-request-id"]
        assert first.body == second.body


def test_a_request_that_kills_each_server_is_given_up() -> None:
    words, requests = _told(death(_BEGUN), timeout=600)
    assert words.startswith("The connection to URL broke before the answer was there")
    assert requests == 3


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (reply(200, b"<html>Welcome</html>"), "What answers at URL is no model server"),
        (reply(200, b"[" * 100_000), "What answers at URL is no model server"),
        (reply(200, b"[1]"), "What answers at URL is no model server"),
        (reply(200, b"\xff\xfe{"), "What answers at URL is no model server"),
        (reply(200, b""), "What answers at URL is no model server"),
        (reply(200, b"{}"), "The model at URL is no model of Graft's"),
        (reply(200, b'{"outputs": [0.5, 0.5]}'), "The model at URL is no model of Graft's"),
        (
            reply(302, b"", "Location: http://elsewhere/"),
            "The server at URL answers 302: it sends on to http://elsewhere/. Is that the",
        ),
        (reply(200, b"{}", "Content-Encoding: gzip"), "The model at URL is no model of Graft's"),
    ],
)
def test_what_is_no_model_server_is_told_at_once(script: Script, words: str) -> None:
    told, requests = _told(script)
    assert told.startswith(words)
    assert requests == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": None},
        {"labels": [["red"], ["red"]]},
        {"labels": [[1, 2], [1, 2]]},
        {"labels": [["red", "dark"]]},
        {"class_ids": [[2, 3], [2, 3]]},
        {"class_ids": [[-1, 0], [0, 1]]},
        {"class_ids": [[], []], "labels": [[], []]},
        {"class_ids": [[0.5, 1e300], [1, 2]]},
        {"class_ids": [[2**80, 0], [0, 0]]},
        {"probabilities": [[0.5, 0.5, 0.0], [0.5]]},
        {"probabilities": "much"},
        {"probabilities": [[float("nan"), 0.0, 1.0], [0.5, 0.5, 0.0]]},
        {"probabilities": {"a": 1}},
        {"probabilities": [[0.5, 0.25, 0.25]]},
        {name: [[[0.0]]] for name in ("probabilities", "class_ids", "labels")},
    ],
)
def test_an_answer_of_another_form_is_never_taken_for_one(changed: dict[str, object]) -> None:
    document = json.dumps({"outputs": {**outputs(2), **changed}}).encode()
    words, requests = _told(reply(200, document))
    assert words == "The model at URL gives answers of another form: no model of Graft's."
    assert requests == 1


def test_an_answer_to_another_number_of_images_is_told() -> None:
    document = json.dumps({"outputs": outputs(3)}).encode()
    assert _told(reply(200, document))[0] == "The model at URL answered for 3 of 2 images."


@pytest.mark.parametrize(
    "script",
    [
        reply(200, b" " * 2**18),
        flood(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", b" " * 2**16),
        flood(_CHUNKED, b"8000\r\n" + b" " * 2**15 + b"\r\n"),
        flood(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 2**16),
        flood(b"HTTP/1.1 503 Busy\r\nContent-Length: 1000000000000\r\n\r\n", b" " * 2**16),
    ],
    ids=["long", "declared", "chunked", "endless", "error"],
)
def test_an_answer_without_end_is_not_read_to_the_end(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "MOST_ANSWER_BYTES", 2**17)
    words, requests = _told(script)
    assert "is no model server: it sends more than 131,072 bytes" in words
    assert requests == 1


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_server_that_is_busy_is_asked_again(status: int) -> None:
    busy = [error(status), error(status, "Retry-After: 0"), error(status, "Retry-After: soon")]
    with scripted_server(*busy, answer) as server, GraftClient(server.url, "m") as client:
        assert client.predict(_IMAGES).labels == (("red", "dark"),) * 2
        assert len(server.requests) == 4


@pytest.mark.parametrize("when", ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_who_is_told_to_come_back_too_late_gives_up_at_once(when: str) -> None:
    words, requests = _told(error(429, f"Retry-After: {when}"))
    assert words == "The server at URL answers 429: so it was told"
    assert requests == 1


def test_nobody_is_asked_beyond_the_deadline() -> None:
    words, requests = _told(error(503), timeout=0.5)
    # Where the time ends while the server is asked once more, that is what is told.
    assert words in (
        "The server at URL answers 503: so it was told",
        "The server at URL did not answer within 0.5 s.",
    )
    assert requests >= 1


@pytest.mark.parametrize("script", [error(503), death(b"")])
def test_retries_can_be_left_out(script: Script) -> None:
    assert _told(script, retry=False)[1] == 1


@pytest.mark.parametrize("status", [401, 403, 404, 500, 504])
def test_what_no_second_time_would_mend_is_told_at_once(status: int) -> None:
    assert _told(error(status)) == (f"The server at URL answers {status}: so it was told", 1)


def test_a_server_that_sends_on_is_not_followed_but_told() -> None:
    words, requests = _told(reply(308, b"", "Location: https://elsewhere/"))
    assert "answers 308: it sends on to https://elsewhere/. Is that the address to give?" in words
    assert requests == 1


@pytest.mark.parametrize("status", [400, 413])
def test_an_image_that_is_refused_costs_itself_alone(status: int) -> None:
    def refuse(request) -> None:
        (error(status) if b"Ym" in request.body else answer)(request)

    images = [b"good", b"b", b"good", b"bad", b"good"]  # "b" is "Yg==" in base64, "bad" is "YmFk"
    with scripted_server(refuse) as server, GraftClient(server.url, "m") as client:
        told = client.predict_each(images)
        assert [isinstance(each, Answer) for each in told] == [True, True, True, False, True]
        assert isinstance(told[3], RequestRefusedError)
        assert told[0] == Answer(("red", "dark"), (0.625, 0.25))
        assert client.predict_each([]) == []
        with pytest.raises(RequestRefusedError) as raised:
            client.predict(images)
        assert raised.value.request_id == server.requests[-1].headers["x-request-id"]


def test_key_version_and_path_are_sent() -> None:
    with scripted_server(answer) as server:
        with GraftClient(f"{server.url}/models/", "a b", version=3, api_key="secret") as client:
            client.predict(_IMAGES)
        with GraftClient(server.url, "m", label="canary/1") as client:
            client.predict(_IMAGES)
        first, second = server.requests
    assert first.line == "POST /models/v1/models/a%20b/versions/3:predict HTTP/1.1"
    assert second.line == "POST /v1/models/m/labels/canary%2F1:predict HTTP/1.1"
    assert first.headers["x-api-key"] == "secret"
    assert "x-api-key" not in second.headers
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_files_are_read_when_their_turn_comes(tmp_path: Path) -> None:
    file = tmp_path / "image"
    file.write_bytes(b"image")
    pulled = 0

    def paths() -> Iterator[Path]:
        nonlocal pulled
        for _ in range(1000):
            pulled += 1
            yield file
        yield from (tmp_path, tmp_path / "none")

    with scripted_server(answer) as server, GraftClient(server.url, "m") as client:
        told = []
        for each in client.predict_files(paths()):
            told.append(each)
            assert pulled - len(told) < 5 * 32
        assert server.most_at_once <= 4
    assert [isinstance(said, Answer) for _, said in told] == [True] * 1000 + [False] * 2
    assert str(told[-2][1]) == f"{tmp_path} is no file."
    assert str(told[-1][1]).endswith("cannot be read: No such file or directory.")


def test_many_wait_at_once_in_one_loop_and_one_may_leave(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"image")

    async def ask(url: str) -> None:
        async with AsyncGraftClient(url, "m") as client:
            waiting = asyncio.create_task(client.predict(_IMAGES))
            while not server.requests:
                await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            told = await asyncio.gather(*(client.predict(_IMAGES) for _ in range(20)))
            assert [each.labels for each in told] == [(("red", "dark"),) * 2] * 20
            paths = [tmp_path / "image"] * 500
            async for path, said in client.predict_files(paths):
                assert isinstance(said, Answer)
                assert path == paths[0]
                break
            every = [said async for _, said in client.predict_files(paths[:70])]
            assert every == [Answer(("red", "dark"), (0.625, 0.25))] * 70

    with scripted_server(silence, answer) as server:
        asyncio.run(ask(server.url))


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": -1}, {"version": 1, "label": "a"}])
def test_options_that_make_no_sense_are_bad_usage(options) -> None:
    with pytest.raises(UsageError):
        GraftClient("http://127.0.0.1:1", "m", **options)
