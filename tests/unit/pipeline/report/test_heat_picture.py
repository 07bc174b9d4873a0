"""An explanation as a picture."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.explained_answers import HeatPictures
from pipeline.image_files import ImageFile
from pipeline.report.heat_picture import heat_picture
from serving.client import ExplainedAnswer


def _drawn(heat: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.new("RGB", (20, 20), (40, 200, 90)).save(file, "PNG")
    with Image.open(io.BytesIO(heat_picture(file.getvalue(), heat, 64))) as picture:
        assert picture.size == (64, 64)
        return np.asarray(picture, np.float32)


def _answer() -> ExplainedAnswer:
    file = io.BytesIO()
    Image.new("RGB", (20, 20), (40, 200, 90)).save(file, "JPEG")
    heat = np.zeros((4, 4), np.float32)
    return ExplainedAnswer(("cat",), (1.0,), heat=heat, seen=file.getvalue())


def test_the_hottest_place_is_warm_and_the_rest_grey() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[0, 3] = 0.01  # of the highest value alone it depends how it is drawn
    drawn = _drawn(heat)
    assert drawn[4, 60, 0] > drawn[4, 60, 2] + 60
    assert np.ptp(drawn[60, 4]) < 8


def test_no_heat_at_all_is_a_grey_picture() -> None:
    drawn = _drawn(np.zeros((4, 4), np.float32))
    assert np.ptp(drawn, axis=2).max() < 8


def test_a_damaged_picture_is_refused() -> None:
    with pytest.raises(OSError, match="no known format"):
        heat_picture(b"no picture", np.zeros((4, 4), np.float32), 64)


def test_a_picture_has_room_for_the_name_of_any_file(tmp_path: Path) -> None:
    answer = _answer()
    pictures = HeatPictures(tmp_path)
    for stem in ("x" * 251, "\U0001f408" * 62, "\udcff" * 251, "a"):
        pictures.answered(ImageFile(Path(f"photos/{stem}.png")), {"REST": answer})
    written = sorted(each.name for each in tmp_path.iterdir())
    assert [name[:5] for name in written] == ["0001-", "0002-", "0003-", "0004-"]
    assert written[3] == "0004-a.jpg"
