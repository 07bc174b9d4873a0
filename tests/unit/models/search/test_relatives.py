from collections.abc import Sequence

import pytest
from histories import STATISTICS, history, record, task

from models.history.records import TaskDescription
from models.history.tuning_history import TuningHistory
from models.search.relatives import distance, relatives

CENTRE = (1.0, 0.0, 2.0)


def at(centre: Sequence[float], fingerprint: str = "other", **changes: object) -> TaskDescription:
    return task(fingerprint).model_copy(update={"centre": tuple(centre), **changes})


def searched(described: TaskDescription, unfreeze: float, name: str = "garments") -> TuningHistory:
    made = history(described, name=name)
    trial = record(0, 0.01, 0.9).model_copy(update={"values": {"training.unfreeze": unfreeze}})
    return TuningHistory(made.header, (trial,))


def test_the_distance_is_in_shares_of_the_variance() -> None:
    moved = at((1.0, 0.0, 2.0 + STATISTICS.total_variance**0.5))
    assert distance(moved, at(CENTRE)) == pytest.approx(1.0)
    assert distance(at(CENTRE), at(CENTRE)) == 0.0


@pytest.mark.parametrize(
    "other",
    [
        at(()),
        at((1.0, 0.0)),
        at(CENTRE, weights_digest="cd" * 32),
        at(CENTRE, image_size=96),
        at(CENTRE, dimension=3304),
    ],
)
def test_what_was_seen_otherwise_cannot_be_compared(other: TaskDescription) -> None:
    assert distance(other, at(CENTRE)) is None
    assert relatives(at(CENTRE), "mine", [("one", searched(other, 0.5))]) == ()


def test_images_that_do_not_vary_cannot_be_compared() -> None:
    flat = STATISTICS.model_copy(update={"total_variance": 0.0})
    assert distance(at(CENTRE, embedding=flat), at(CENTRE, embedding=flat)) is None


def test_the_nearest_of_other_data_come_first() -> None:
    near, nearer, far = at((1.0, 0.0, 3.5)), at((1.0, 0.0, 2.5)), at((9.0, 9.0, 9.0))
    found = relatives(
        at(CENTRE, "mine"),
        "mine",
        [
            ("near", searched(near, 0.5)),
            ("far", searched(far, 0.5)),
            ("nearer", searched(nearer, 0.25)),
            ("frozen", searched(nearer, 0.0)),
            ("earlier images of the same", searched(nearer, 0.5, name="mine")),
        ],
    )
    assert [each.name for each in found] == ["nearer", "near"]
    assert found[0].apart == pytest.approx(0.25 / 12.5)
