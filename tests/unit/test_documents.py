import re
from pathlib import Path

import pytest

import graft

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/**/*.md")]
TOPS = "benchmarks|components|deploy|docs|examples|graft|models|pipeline|serving|tests"
# Without an ending, monitoring/drift is the name of a benchmark.
FILE = re.compile(rf"`((?:{TOPS})/[\w./-]+|monitoring/[\w/]+\.\w+)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
PLACE = re.compile(r"\]\((?!https?:)([^)#]*)#([^)]+)\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    text = document.read_text("utf-8")
    named = [ROOT / file for file in FILE.findall(text)]
    named += [document.parent / link for link in LINK.findall(text)]
    assert [str(path) for path in named if not path.exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_heading_that_a_document_links_to_is_there(document: Path) -> None:
    for file, place in PLACE.findall(document.read_text("utf-8")):
        target = document.parent / file if file else document
        titles = re.findall(r"^#+ (.*)", target.read_text("utf-8"), re.M)
        anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
        assert place in anchors, f"{file}#{place}"


def test_no_walk_passes_a_file_twice() -> None:
    walks = (ROOT / "docs/ARCHITECTURE.md").read_text("utf-8").split("\n## ")[1:]
    assert len(walks) == 7
    for walk in walks:
        files = FILE.findall(walk)
        assert sorted(files) == sorted(set(files))


def test_the_changelog_ends_with_the_version_that_is_there() -> None:
    releases = re.findall(
        r"^## \[(\d.*?)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.M
    )
    assert releases[0] == graft.__version__
