import json
from pathlib import Path
from typing import Any

import pytest

from models.history.contribution import (
    Contribution,
    ContributionError,
    LeftOut,
    Proposal,
    SourceContribution,
    read_contribution,
    write_contribution,
)

CONTRIBUTION = Contribution(
    sources=(
        SourceContribution(
            name="clothing, 2026-11-21",
            trials=50,
            shared_parameters=6,
            weights=(0.5, 0.1 + 0.2),
            rank_agreement=-0.25,
            dropped_after=2,
            words="It ranked no better than chance.",
        ),
    ),
    left_out=(LeftOut(name="alt", reason="no parameter in common"),),
    cold_weights=(0.5, 0.7),
    proposals=(
        Proposal(order=0, origin="portfolio", score=0.8),
        Proposal(order=1, origin="cold", score=None),
    ),
    expected_random=(0.6, 0.7),
    trials_saved=9,
    seconds_saved=12.5,
    words="One earlier search saved about nine trials — größtenteils.",
)


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Any]:
    write_contribution(tmp_path / "contribution.json", CONTRIBUTION)
    return json.loads((tmp_path / "contribution.json").read_text())


def read(tmp_path: Path, content: object) -> Contribution:
    path = tmp_path / "other.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_contribution(path)


@pytest.mark.parametrize("contribution", [CONTRIBUTION, Contribution()])
def test_what_is_written_is_read_again_to_the_last_bit(
    tmp_path: Path, contribution: Contribution
) -> None:
    write_contribution(tmp_path / "contribution.json", contribution)
    assert read_contribution(tmp_path / "contribution.json") == contribution


def test_the_file_names_its_format(written: dict[str, Any]) -> None:
    assert (written["format"], written["version"]) == ("graft-contribution", 1)


def test_fields_of_a_later_graft_are_passed_over(tmp_path: Path, written: dict[str, Any]) -> None:
    assert read(tmp_path, {**written, "carbon": 3}) == CONTRIBUTION


def test_another_version_is_named(tmp_path: Path, written: dict[str, Any]) -> None:
    with pytest.raises(ContributionError, match="version 2, but this Graft reads version 1"):
        read(tmp_path, {**written, "version": 2})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"[1, 2]",
        b"\xff\xfe\x00",
        b'{"format": "graft-tuning-history", "version": 1}',
        b'{"format": "graft-contribution", "version": "1"}',
        b"[" * 100_000,
        b'{"format": ' * 100_000,
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ContributionError, match="not a contribution"):
        read(tmp_path, content)


def test_every_truncation_is_noticed(tmp_path: Path, written: dict[str, Any]) -> None:
    whole = json.dumps(written).encode()
    for length in range(0, len(whole), 7):
        with pytest.raises(ContributionError):
            read(tmp_path, whole[:length])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cold_weights": [0.5, 1.5]}, "cold_weights.1: Input should be less than"),
        ({"cold_weights": [0.5]}, "clothing, 2026-11-21 has 2 weights, the search itself 1"),
        ({"trials_saved": "9"}, "trials_saved: Input should be a valid integer"),
        ({"seconds_saved": -1.0}, "seconds_saved"),
        ({"expected_random": [float("nan")]}, "expected_random.0"),
        ({"expected_random": {"0": 1.0}}, "expected_random"),
        ({"proposals": [{"order": 0, "origin": "oracle"}]}, "proposals.0.origin"),
        ({"proposals": [{"order": 4, "origin": "cold"}]}, "trial 4 in the place of 0"),
        ({"left_out": [{"name": "a"}]}, "left_out.0.reason: Field required"),
        ({"words": "x" * 2000}, "words"),
    ],
)
def test_values_that_lie_are_refused(
    tmp_path: Path, written: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ContributionError, match=words):
        read(tmp_path, {**written, **changes})


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ContributionError, match=r"nowhere\.json: No such file"):
        read_contribution(tmp_path / "nowhere.json")
    with pytest.raises(ContributionError, match="Is a directory"):
        read_contribution(tmp_path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(ContributionError, match="larger than 64 MiB"):
        read_contribution(path)
