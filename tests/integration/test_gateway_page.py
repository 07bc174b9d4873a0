"""The gateway's page in a real browser: drop an image, see the answer."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Page, needs_chromium
from fake_model_server import Behaviour, FakeServer
from free_ports import free_port
from gateway_clients import needs_nginx
from PIL import Image

from serving.gateway.nginx_process import Nginx
from serving.gateway.settings import GatewaySettings, Traffic

pytestmark = [needs_nginx, needs_chromium]
HOSTILE = "<img src=x onerror=\"document.title='broken into'\">"


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    with FakeServer({1: Behaviour(HOSTILE)}, {1}, {"stable": 1, "canary": 1}) as running:
        yield running


@pytest.fixture(scope="module")
def page(server: FakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    settings = GatewaySettings("m", server.address, server.address, port=free_port(), body_mib=1)
    nginx = Nginx(settings, server.address.rest, tmp_path_factory.mktemp("gateway"))
    nginx.direct(Traffic())
    nginx.ensure()
    with Page(f"http://127.0.0.1:{settings.port}/") as opened:
        yield opened
    nginx.stop()


def _png(path: Path) -> Path:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 10, 10)).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())
    return path


def test_a_dropped_image_is_answered_with_bars(page: Page, tmp_path: Path) -> None:
    page.wait("document.getElementById('model').textContent === 'm'")
    page.drop(_png(tmp_path / "red <b>.png"))
    page.wait("!document.getElementById('answer').hidden")
    rows = "Array.from(document.querySelectorAll('#answer tbody tr'))"
    cells = f"{rows}.map(r => [r.cells[0].textContent, r.cells[1].textContent])"
    assert page.value(cells) == [[HOSTILE, "97.0 %"], ["other", "3.0 %"]]
    assert page.value(f"{rows}[0].querySelector('progress').value") == pytest.approx(0.97)
    assert page.value("document.getElementById('message').textContent") == "red <b>.png"
    assert page.value("document.getElementById('picture').naturalWidth") == 40
    # What a label or a file is named stays text.
    assert page.value("document.querySelectorAll('#answer img, #message b').length") == 0
    assert page.value("document.title") == "Ask the model"


def test_further_label_columns_are_answered_below_the_class(
    page: Page, server: FakeServer, tmp_path: Path
) -> None:
    server.behaviours[1].further = {"<b>state": "old"}
    page.drop(_png(tmp_path / "red.png"))
    rows = "Array.from(document.querySelectorAll('#answer tbody tr'))"
    page.wait(f"{rows}.length === 5")
    cells = f"{rows}.map(r => Array.from(r.cells, c => c.textContent).join('|'))"
    assert page.value(cells)[2:] == ["<b>state", "x|60.0 %|", "old|40.0 %|"]
    server.behaviours[1].further = {}


def test_what_is_too_large_or_empty_is_said_without_asking(
    page: Page, server: FakeServer, tmp_path: Path
) -> None:
    asked = len(server.seen)
    large = tmp_path / "large.png"
    large.write_bytes(b" " * 2**20)
    page.drop(large)
    message = "document.getElementById('message')"
    page.wait(f"{message}.textContent.includes('larger than the 1 MiB')")
    (tmp_path / "empty.png").touch()
    page.drop(tmp_path / "empty.png")
    page.wait(f"{message}.textContent === 'The file is empty.'")
    assert page.value(f"{message}.className") == "error"
    assert page.value("document.getElementById('answer').hidden")
    assert len(server.seen) == asked


def test_an_error_of_the_server_is_shown(page: Page, server: FakeServer, tmp_path: Path) -> None:
    server.behaviours[1].status = 500
    page.drop(_png(tmp_path / "red.png"))
    page.wait("document.getElementById('message').textContent === 'made'")
    server.behaviours[1].status = 200


def test_of_several_files_the_first_is_answered_and_that_is_said(
    page: Page, tmp_path: Path
) -> None:
    page.drop(_png(tmp_path / "one.png"), _png(tmp_path / "two.png"))
    message = "document.getElementById('message')"
    page.wait(f"{message}.textContent === 'one.png (the first of 2 files)'")
    page.value("choose([])")
    page.wait(f"{message}.textContent.startsWith('No file came with that.')")


def test_what_the_browser_cannot_show_is_not_shown_broken(page: Page, tmp_path: Path) -> None:
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    page.drop(tmp_path / "photo.heic")
    page.wait("document.getElementById('message').textContent === 'photo.heic'")
    page.wait("document.getElementById('picture').hidden")
    page.drop(_png(tmp_path / "red.png"))
    page.wait("!document.getElementById('picture').hidden")


def test_what_is_no_answer_is_told_in_words(page: Page, tmp_path: Path) -> None:
    message = "document.getElementById('message').textContent"
    for body, status, words in (
        ("<html>", 418, "The gateway answers 418."),
        ("<html>", 200, "What answers is no model."),
    ):
        made = f"new Response('{body}', {{status: {status}}})"
        page.value(f"window.real ??= fetch; fetch = async () => {made}")
        page.drop(_png(tmp_path / "red.png"))
        page.wait(f"{message} === '{words}'")
    page.value("fetch = () => Promise.reject(new TypeError('Failed to fetch'))")
    page.drop(_png(tmp_path / "red.png"))
    page.wait(f"{message}.startsWith('The gateway does not answer.')")
    page.value("fetch = window.real")


def test_a_class_is_explained_where_that_is_asked_for(
    page: Page, server: FakeServer, tmp_path: Path
) -> None:
    def asked() -> dict[str, Any]:
        return json.loads(server.seen[-1][2])

    page.drop(_png(tmp_path / "red.png"))
    page.wait("!document.getElementById('answer').hidden")
    assert page.value("document.getElementById('heat').hidden")
    page.value("document.getElementById('explain').click()")
    page.wait("!document.getElementById('heat').hidden")
    assert asked()["signature_name"] == "explained"
    assert asked()["inputs"]["class_id"] == [-1]
    pixel = (
        "Array.from(document.getElementById('heat').getContext('2d').getImageData({}, 1, 1).data)"
    )
    warm, cold = (page.value(pixel.format(at)) for at in ("440, 8", "8, 440"))
    assert warm[0] > warm[2] + 50
    assert max(cold[:3]) - min(cold[:3]) < 5
    label = "document.getElementById('heat').getAttribute('aria-label')"
    assert page.value(label) == f"What speaks for {HOSTILE}"

    page.value("document.querySelectorAll('#answer button')[1].click()")
    page.wait(f"{label} === 'What speaks for other'")
    assert asked()["inputs"]["class_id"] == [1]
    page.value("document.getElementById('explain').click()")
    page.wait("document.getElementById('heat').hidden")
    assert "signature_name" not in asked()


def test_nothing_but_the_page_s_own_script_runs(page: Page) -> None:
    page.value(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.evil = 1';"
        " document.body.append(s); })()"
    )
    assert page.value("window.evil === undefined")
    page.value(
        "fetch('http://127.0.0.1:9/').catch(() => 0); document.addEventListener("
        "'securitypolicyviolation', e => { window.refused = e.violatedDirective; });"
        " fetch('http://localhost:9/').catch(() => 0)"
    )
    page.wait("window.refused === 'connect-src'")
