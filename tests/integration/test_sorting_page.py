"""The page of `graft label` as its user sees it: in a browser."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Page, needs_chromium
from PIL import Image

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_source
from models.zero_shot.meanings import Meaning
from pipeline.labelling.sorted_image import SortedImage
from pipeline.labelling.sorting_page import write_page
from pipeline.report.small_picture import small_picture

pytestmark = needs_chromium
HOSTILE = '</script><img src=x onerror="alert(1)">'
NAMES = ("one.jpg", 'two, "2".jpg', "a\r\nb <b>.jpg", "unseen.jpg")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sorted")


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Page]:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, "JPEG")
    for name in NAMES:
        (folder / name).write_bytes(file.getvalue())
    picture = small_picture(file.getvalue(), 32)
    images = [
        SortedImage(folder / NAMES[0], HOSTILE, 0.9, "clog", True, picture),
        SortedImage(folder / NAMES[1], HOSTILE, 0.5, "clog", True, picture),
        SortedImage(folder / NAMES[2], "hat", 0.1, "wool", False, picture),
        SortedImage(folder / NAMES[3], "hat", 0.4, "wool", True, ""),
    ]
    meanings = [Meaning(HOSTILE, HOSTILE, None), Meaning("hat", "hat", None)]
    labels = [each.name for each in meanings]
    html = folder / "page.html"
    html.write_bytes(write_page(folder, meanings, images, labels, "corrected.csv"))
    with Page(html.as_uri()) as opened:
        yield opened


def test_names_are_shown_and_never_run(page: Page) -> None:
    assert page.value("document.querySelectorAll('img').length") == 3
    assert HOSTILE in page.value("document.querySelector('h2 + .note').parentNode.textContent")
    assert page.value("document.getElementById('count').textContent") == (
        "3 images have a label, 0 corrected."
    )


def test_the_corrected_manifest_is_one_that_a_run_reads(page: Page, folder: Path) -> None:
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    # The first is the least sure of its class, and the last has no label yet.
    page.value(
        "for (const [at, value] of [[0, '0'], [2, '2']]) {"
        " const choice = document.querySelectorAll('select')[at];"
        " choice.value = value; choice.dispatchEvent(new Event('change')); }"
    )
    assert page.value("document.getElementById('count').textContent") == (
        "3 images have a label, 2 corrected."
    )
    page.value("document.getElementById('download').click()")
    manifest = folder / "corrected.csv"
    deadline = time.monotonic() + 60
    while not manifest.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    listing = list_source(str(manifest), IngestSettings())
    assert {Path(file.path).name: file.label for file in listing.files} == {
        NAMES[0]: HOSTILE,
        NAMES[2]: "hat",
        NAMES[3]: "hat",
    }
