from pathlib import Path

import pytest

from models.backbone_choice.backbone_choice import (
    BackboneChoice,
    Candidate,
    ChoiceError,
    read_choice,
    write_choice,
)

CHOICE = BackboneChoice(
    candidate=Candidate(backbone="MobileNetV2", weights="imagenet", image_size=96),
    weights_digest="ab" * 32,
)


def test_the_file_reads_back(tmp_path: Path) -> None:
    write_choice(tmp_path, CHOICE)
    assert read_choice(tmp_path) == CHOICE
    assert str(CHOICE.candidate) == "MobileNetV2 at 96 px"


@pytest.mark.parametrize(
    ("old", "new"), [('"version": 2', '"version": 1'), ("{", ""), ('"ab', '7, "ab')]
)
def test_another_version_or_a_damaged_file_is_refused(tmp_path: Path, old: str, new: str) -> None:
    write_choice(tmp_path, CHOICE)
    file = tmp_path / "choice.json"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(ChoiceError, match=r"choice\.json"):
        read_choice(tmp_path)
    file.unlink()
    with pytest.raises(ChoiceError):
        read_choice(tmp_path)
