"""The monitor's page as its user sees it: in a browser, through the gateway."""

import io
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import simulated_service
from browser import Page, needs_chromium
from fake_model_server import Behaviour, FakeServer
from free_ports import free_port
from gateway_clients import needs_nginx
from healths import HOSTILE, harmful
from PIL import Image

from monitoring.live_images import LiveImage
from monitoring.requests import Requests
from pipeline.watch.page import render_page
from serving.gateway.nginx_process import Nginx
from serving.gateway.settings import GatewaySettings, Traffic

pytestmark = [needs_nginx, needs_chromium]
DIGESTS = tuple(f"{number:064x}" for number in range(3))


def _jpeg(brightness: int) -> bytes:
    pixels = np.random.default_rng(0).integers(0, brightness, (48, 64, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    reference = simulated_service.reference(4, thumbnails=(_jpeg(255),) * 4)
    kept = (_jpeg(60), b"no image at all", None)
    images = {
        digest: LiveImage(digest, HOSTILE, HOSTILE, 0.7, image, 1)
        for digest, image in zip(DIGESTS, kept, strict=True)
    }
    file = tmp_path_factory.mktemp("monitoring") / "health.html"
    file.write_text(render_page(harmful(heaviest=DIGESTS), reference, images), "utf-8")
    with FakeServer({1: Behaviour("cat")}, {1}, {"stable": 1, "canary": 1}) as server:
        settings = GatewaySettings(
            "m", server.address, server.address, port=free_port(), health_page=file
        )
        nginx = Nginx(settings, server.address.rest, tmp_path_factory.mktemp("gateway"))
        nginx.direct(Traffic())
        nginx.ensure()
        with Page(f"http://127.0.0.1:{settings.port}/monitoring") as opened:
            yield opened
        nginx.stop()


def test_it_says_what_is_wrong_since_when_and_what_to_do(page: Page) -> None:
    assert page.value("document.querySelector('h1').textContent") == "Answers are worse"
    assert page.value("document.querySelector('#decision h2').textContent") == "Retrain"
    said = page.value("document.querySelector('#drift').textContent")
    assert "brightness: lower: median 0.31 → 0.18" in said
    assert "Began between" in said
    assert page.value("document.querySelectorAll('.chart .mark').length") == 1


@pytest.mark.parametrize(
    "none", [Requests({}, {}, 0, {}), Requests({"OK": 0}, {60: (0, 0)}, 0, {})]
)
def test_a_log_without_answers_is_told(none: Requests) -> None:
    health = replace(harmful(), requests=none)
    assert "no answers to requests yet" in render_page(health, simulated_service.reference(4), {})


def test_pictures_stand_beside_the_nearest_held_out_ones(page: Page) -> None:
    pairs = "Array.from(document.querySelectorAll('.pairs li'))"
    shown = page.value(
        f"{pairs}.map(p => [...p.querySelectorAll('figure')].map(f => f.querySelector('img')"
        " ? f.querySelector('img').naturalWidth : f.querySelector('.missing').textContent))"
    )
    assert shown == [[64, 64], ["not kept", 64], ["not kept", 64]]


def test_names_from_outside_stay_text(page: Page) -> None:
    assert "broken" not in page.value("document.title")
    assert page.value("document.querySelectorAll('script, main b b, img[onerror]').length") == 0
    assert HOSTILE in page.value("document.querySelector('.pairs .file').textContent")
    assert HOSTILE in page.value("document.querySelector('#accuracy tbody th').textContent")
    assert HOSTILE in page.value("document.querySelector('#requests .findings').textContent")


def test_a_phone_shows_it_without_scrolling_sideways(page: Page) -> None:
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.call("Emulation.setDeviceMetricsOverride", **size)
    assert page.value("document.documentElement.scrollWidth") == 390
    page.call("Emulation.clearDeviceMetricsOverride")
