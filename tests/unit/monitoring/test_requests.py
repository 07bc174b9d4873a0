"""What the counts of the log say."""

from models.observation.log_entry import CountKey, Counts
from monitoring.requests import requests_of, traffic_of

HOUR = 3_600


def _counts(*rows: tuple[int, str, int], dropped: int = 0) -> Counts:
    counts = Counts()
    for minute, status, count in rows:
        key = CountKey(minute, "REST", "graft", 3, status)
        counts.requests[key] += count
        counts.images[key] += count
    if dropped:
        counts.dropped[rows[-1][0]] += dropped
    return counts


def test_what_is_older_than_a_day_is_left_out() -> None:
    counts = _counts((0, "OK", 7), (30 * HOUR, "OK", 5), (30 * HOUR, "INTERNAL", 2))
    found = requests_of(counts, "graft", {})
    assert found.by_status == {"OK": 5, "INTERNAL": 2}
    assert found.by_minute == {30 * HOUR: (7, 2)}
    assert (found.answers, found.errors, found.last) == (7, 2, 30 * HOUR)


def test_other_models_are_left_out() -> None:
    assert requests_of(_counts((0, "OK", 7)), "other", {}).answers == 0


def test_images_that_came_again_in_the_newest_hour_are_counted() -> None:
    counts = _counts((0, "OK", 100), (2 * HOUR, "OK", 50), dropped=10)
    found = traffic_of(counts, "graft", {0: 60, 2 * HOUR: 8}, {0: 40, 2 * HOUR: 32})
    assert found.statuses == {"OK": 50}
    assert found.repeats == 32
    assert traffic_of(counts, "graft", {2 * HOUR: 8}, {0: 40}).repeats == 0


def test_what_was_not_written_down_did_not_come_again() -> None:
    counts = _counts((0, "OK", 100))
    assert traffic_of(counts, "graft", {0: 100}, {}).repeats == 0
    assert traffic_of(counts, "graft", {}, {}).repeats == 0
    assert traffic_of(Counts(), "graft", {}, {}).repeats == 0


def test_a_clock_that_was_ahead_hides_nothing_of_what_comes_after_it() -> None:
    ahead, now = 10_000 * HOUR, 40 * HOUR
    counts = _counts((30 * HOUR, "OK", 5), (now, "INTERNAL", 2), (ahead, "OK", 9))
    found = requests_of(counts, "graft", {}, now)
    assert found.by_status == {"OK": 5, "INTERNAL": 2}
    assert found.last == now
    traffic = traffic_of(counts, "graft", {ahead: 9, now: 1}, {ahead: 3, now: 4}, now)
    assert (traffic.statuses, traffic.repeats) == ({"INTERNAL": 2}, 4)


def test_a_log_of_another_time_is_looked_at_all_the_same() -> None:
    counts = _counts((30 * HOUR, "OK", 5))
    assert requests_of(counts, "graft", {}, now=HOUR).by_status == {"OK": 5}
