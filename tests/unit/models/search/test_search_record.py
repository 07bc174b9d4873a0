"""`search.json`: what is written is read again, and nothing else."""

from pathlib import Path

import pytest

from models.backbone_choice.backbone_choice import Candidate
from models.search.search_record import (
    FILE_NAME,
    RefusedBackbone,
    SearchRecord,
    SearchRecordError,
    Step,
    TriedBackbone,
    read_record,
    write_record,
)

LITE0 = Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=160)
RECORD = SearchRecord(
    budget=60.0,
    spent=55.5,
    usual_seconds=120.0,
    training_seconds=80.0,
    chosen={"model.backbone": "EfficientNetLite0", "training.unfreeze": 0.5},
    words="It promises most — größtenteils.",
    past=("clothing (starter)",),
    trusted=True,
    steps=(Step(seconds=1.5, score=0.7, accuracy=0.75),),
    backbones=(
        TriedBackbone(
            candidate=LITE0,
            configurations=3,
            accuracy=None,
            seconds=9.0,
            multiply_adds=2e8,
            chosen=True,
        ),
    ),
    refused=(RefusedBackbone(candidate=LITE0, reason="no network"),),
    gain=0.01,
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    assert read_record(tmp_path) == RECORD


@pytest.mark.parametrize(
    ("old", "new"),
    [('"version": 1', '"version": 2'), ("{", ""), ("0.75", "7.5"), ("55.5", "NaN")],
)
def test_another_version_or_a_damaged_file_is_refused(tmp_path: Path, old: str, new: str) -> None:
    write_record(tmp_path, RECORD)
    file = tmp_path / FILE_NAME
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(SearchRecordError, match=r"search\.json"):
        read_record(tmp_path)
    file.unlink()
    with pytest.raises(SearchRecordError):
        read_record(tmp_path)
