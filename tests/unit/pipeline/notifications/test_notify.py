"""Messages about runs, to a real HTTP server and a server of SMTP's few commands."""

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_string
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.config import Config
from pipeline.notifications.notification_settings import NotificationSettings
from pipeline.notifications.notify import notify

FOLDER = Path("/srv/graft/runs/20261128-023000-000")


def told(status: str = "failed", reason: str = "No disk.", **counts: int) -> dict:
    return {
        "status": status,
        "run_id": FOLDER.name,
        "reason": reason,
        "metrics": {"accuracy": 0.9},
        "model": {"version": 7},
        "data": {"findings": {"counts": counts, "words": "2 warnings" if counts else ""}},
    }


def sent(summary: dict, **settings) -> list[str]:
    config = Config(workspace="/srv/graft", notifications=NotificationSettings(**settings))
    return notify(config, summary, FOLDER)


@contextmanager
def webhook(status: int = 200) -> Iterator[tuple[str, list[dict]]]:
    got: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", got
        server.shutdown()


@contextmanager
def mail_server() -> Iterator[tuple[str, list[str]]]:
    got: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"RCPT" and b"gone" in line:
                    self.wfile.write(b"550 no such user\r\n")
                    continue
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    got.append(b"".join(lines).decode())
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 well\r\n")
                if word == b"QUIT":
                    return

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}", got
        server.shutdown()


def test_a_webhook_is_told_what_happened(monkeypatch) -> None:
    with webhook() as (address, got):
        monkeypatch.setenv("HOOK", address)
        assert sent(told(), webhook="$HOOK") == []
    (body,) = got
    assert body["text"].startswith("Graft: failed (/srv/graft)\nNo disk.\n")
    assert str(FOLDER / "report.html") in body["text"]
    assert (body["event"], body["run_id"], body["version"]) == ("failed", FOLDER.name, 7)


@pytest.mark.parametrize(
    ("summary", "on", "event"),
    [
        (told("pushed"), ("failed",), None),
        (told("pushed"), ("pushed",), "pushed"),
        (told("pushed", warning=2), ("failed", "findings"), "findings"),
        (told("pushed", info=2), ("failed", "findings"), None),
        (told("not_blessed", warning=2), ("not_blessed", "findings"), "not_blessed"),
        (told("stage_done"), ("pushed", "not_blessed", "failed", "findings"), None),
        (told("stage_done", warning=2), ("failed", "findings"), None),
    ],
)
def test_only_what_is_asked_for_is_told(summary: dict, on, event) -> None:
    with webhook() as (address, got):
        assert sent(summary, webhook=address, events=on) == []
    assert [body["event"] for body in got] == ([event] if event else [])


def test_a_mail_is_sent_with_the_first_line_as_its_subject(tmp_path: Path) -> None:
    template = tmp_path / "note.txt"
    template.write_text("{{ event }}: {{ reason }}\n\nSee {{ report }} ({{ accuracy }})\n")
    evil = "a\r\nBcc: evil@example.com"
    with mail_server() as (address, got):
        options = {"smtp": address, "email_to": ("a@example.com", "b@example.com")}
        assert sent(told(), **options) == []
        assert sent(told(reason=evil), **options, template=str(template)) == []
    first, second = map(message_from_string, got)
    assert (first["Subject"], first["From"]) == ("Graft: failed (/srv/graft)", "a@example.com")
    assert first["To"] == "a@example.com, b@example.com"
    assert "No disk." in first.get_payload()
    assert second["Bcc"] is None
    assert second["Subject"] == "failed: a"


def test_whoever_the_mail_server_refuses_is_named() -> None:
    refusal = "The mail server does not take mail to gone@example.com (550 no such user)."
    with mail_server() as (address, got):
        both = ("a@example.com", "gone@example.com")
        assert sent(told(), smtp=address, email_to=both) == [refusal]
        assert len(got) == 1
        assert sent(told(), smtp=address, email_to=both[1:]) == [refusal]
    assert len(got) == 1


def test_what_cannot_be_sent_is_said_and_names_no_secret(tmp_path: Path) -> None:
    with webhook(status=500) as (address, _):
        assert sent(told(), webhook=address) == ["The webhook answered 500."]
    (closed,) = sent(told(), webhook=address, timeout_seconds=5)
    assert closed == "The webhook was not called: ConnectError."
    assert sent(told(), webhook="$NOWHERE") == [
        "The webhook was not called: the variable $NOWHERE is empty."
    ]
    (mail,) = sent(told(), email_to=("a@example.com",), smtp="127.0.0.1:1")
    assert mail.startswith("The mail was not sent: ")
    broken = tmp_path / "broken.txt"
    broken.write_text("{{ nothing_of_this_name }}")
    (template,) = sent(told(), webhook=address, template=str(broken))
    assert "nothing_of_this_name" in template
    assert len(sent(told(), webhook=address, template=str(tmp_path / "none"))) == 1


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_webhook_that_leads_elsewhere_was_not_told(status: int) -> None:
    with webhook(status=status) as (address, _):
        (said,) = sent(told(), webhook=address)
    assert said.startswith(f"The webhook answered {status}, which leads to another address")


@contextmanager
def dripping(before: bytes) -> Iterator[str]:
    """A server that sends a byte now and then, for longer than anybody waits."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                for byte in before + b"1" * 100:
                    self.request.sendall(bytes([byte]))
                    time.sleep(0.1)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_server_that_never_comes_to_an_end_is_given_up() -> None:
    began = time.monotonic()
    with dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ") as address:
        hook = sent(told(), webhook=f"http://{address}/", timeout_seconds=0.5)
    with dripping(b"220 ") as address:
        mail = sent(told(), email_to=("a@example.com",), smtp=address, timeout_seconds=0.5)
    assert hook == ["The webhook was not called: TimeoutError."]
    assert mail == ["The mail was not sent: no whole answer within 0.5 seconds."]
    assert time.monotonic() - began < 5


def test_a_mail_server_whose_name_is_none_ends_no_run() -> None:
    (said,) = sent(told(), email_to=("a@example.com",), smtp="mail..example.com:25")
    assert said.startswith("The mail was not sent: ")


@pytest.mark.parametrize(
    "settings",
    [
        {"webhook": "ftp://a"},
        {"webhook": "$a b"},
        {"email_to": ("a",)},
        {"email_to": ("a@b.c\nBcc: d@e.f",)},
        {"email_from": "Me <a@b.c>"},
        {"smtp": "localhost"},
        {"smtp": "localhost:99999"},
        {"events": ("sometimes",)},
    ],
)
def test_what_is_no_address_is_refused(settings: dict) -> None:
    with pytest.raises(ValidationError):
        NotificationSettings(**settings)
