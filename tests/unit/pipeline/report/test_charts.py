"""Charts of the report."""

import re

import pytest

from pipeline.report.charts import WIDTH, Axis, Series, line_chart


@pytest.mark.parametrize(("place", "side"), [(1.5, "start"), (30.5, "end")])
def test_the_words_of_a_mark_stand_where_there_is_room(place, side):
    series = [Series("training", [(1.0, 0.2), (36.0, 0.1)], "second")]
    axes = Axis("epoch", (1.0, 37.0)), Axis("loss", (0.0, 0.5))
    chart = str(line_chart("Loss", series, *axes, [(place, "fine-tuning on all images")]))
    found = re.search(r'<text x="([\d.]+)"[^>]*text-anchor="(\w+)">fine-tuning on all', chart)
    assert found
    assert found[2] == side
    assert (float(found[1]) < WIDTH / 2) == (side == "start")
