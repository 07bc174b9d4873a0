from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.explained_answers import check_outside


@pytest.mark.parametrize("inside", [".", "heat", "day 1/heat"])
def test_pictures_among_the_images_would_be_classified_too(tmp_path: Path, inside: str) -> None:
    with pytest.raises(UsageError, match="its pictures would be, too"):
        check_outside(tmp_path / inside, [tmp_path / "other", tmp_path])


@pytest.mark.parametrize("outside", ["photos/.heat", "heat"])
def test_a_folder_that_nobody_walks_through_is_taken(tmp_path: Path, outside: str) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.png").touch()
    check_outside(tmp_path / outside, [photos, photos / "a.png"])
