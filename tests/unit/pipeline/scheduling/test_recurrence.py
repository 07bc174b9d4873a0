"""When runs come again."""

import re
import shutil
import subprocess
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings, strategies as st

from models.errors import UsageError
from pipeline.scheduling.recurrence import Recurrence, parse_every


@pytest.mark.parametrize(
    ("words", "cron", "calendar"),
    [
        ("30m", "*/30 * * * *", "*-*-* *:00,30:00"),
        ("60 minutes", "0 * * * *", "*-*-* *:00:00"),
        ("every hour", "0 * * * *", "*-*-* *:00:00"),
        ("24h", "0 0 * * *", "*-*-* 00:00:00"),
        ("day", "0 0 * * *", "*-*-* 00:00:00"),
        ("Weekday at 5:00", "0 5 * * 1-5", "Mon,Tue,Wed,Thu,Fri *-*-* 05:00:00"),
        ("sunday at 23:59", "59 23 * * 0", "Sun *-*-* 23:59:00"),
        ("month at 03:00", "0 3 1 * *", "*-*-01 03:00:00"),
        ("5/20 0-2 * jan,3 *", "5-59/20 0-2 * jan,3 *", "*-01,03-* 00,01,02:05,25,45:00"),
        ("0 0 * * 5-7", "0 0 * * 5-7", "Sun,Fri,Sat *-*-* 00:00:00"),
        ("7,40/5 3/9 * * *", "7,40-59/5 3-23/9 * * *", "*-*-* 03,12,21:07,40,45,50,55:00"),
    ],
)
def test_words_and_fields_are_understood(words: str, cron: str, calendar: str) -> None:
    assert parse_every(words).cron == cron
    assert parse_every(words).calendar == calendar


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "Expected"),
        ("7h", "divide a day"),
        ("0m", "divide an hour"),
        ("never", "Expected"),
        ("60 * * * *", "minute, not in 0 to 59"),
        ("* * 0 * *", "day of the month, not in 1 to 31"),
        ("* * * * 8", "day of the week, not in 0 to 7"),
        ("*/0 * * * *", "not in 1 to 59"),
        ("9-3 * * * *", "ends before it begins"),
        ("0 0 1 * mon", "name one of them"),
        ("0 0 31 feb,apr *", "No month"),
        ("day at 24:00", "hour, not in 0 to 23"),
        ("* * * *", "Expected"),
        ("² * * * *", "minute"),
        ("1 2 3 4 *\n* * * * * rm", "Expected"),
    ],
)
def test_what_no_scheduler_could_do_is_refused(words: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        parse_every(words)


def test_kubernetes_knows_sunday_as_zero_alone() -> None:
    assert Recurrence("0 0 * * 7").kubernetes == "0 0 * * 0"
    assert Recurrence("0 0 * * fri-7").kubernetes == "0 0 * * 0,5,6"
    assert Recurrence("0 0 1 * *").kubernetes == "0 0 1 * *"


_FIELD = st.sampled_from(["*", "*/7", "3", "1-4", "2,4", "1/3"])


@given(minute=_FIELD, hour=_FIELD, day=_FIELD, month=_FIELD)
@settings(max_examples=50, deadline=None)
def test_the_calendar_names_the_times_of_the_fields(
    minute: str, hour: str, day: str, month: str
) -> None:
    recurrence = Recurrence(f"{minute} {hour} {day} {month} *")
    date, time = recurrence.calendar.split(" ")
    _, months, days = date.split("-")
    hours, minutes, _ = time.split(":")
    for at in range(0, 366 * 24 * 60, 997):
        moment = datetime(2028, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=at)
        named = all(
            text == "*" or f"{value:02d}" in text.split(",")
            for text, value in [
                (minutes, moment.minute),
                (hours, moment.hour),
                (days, moment.day),
                (months, moment.month),
            ]
        )
        meant = all(
            _holds(text, value, low)
            for text, value, low in [
                (minute, moment.minute, 0),
                (hour, moment.hour, 0),
                (day, moment.day, 1),
                (month, moment.month, 1),
            ]
        )
        assert named == meant


def _holds(field: str, value: int, low: int) -> bool:
    """What crontab(5) says of a field, for the few forms above."""
    match field:
        case "*":
            return True
        case "*/7":
            return (value - low) % 7 == 0
        case "1/3":
            return value >= 1 and (value - 1) % 3 == 0
        case "1-4":
            return 1 <= value <= 4
        case _:
            return str(value) in field.split(",")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("words", ["15m", "weekday at 02:30", "month at 00:05", "5/20 1,2 * 3 *"])
def test_systemd_understands_the_calendar(words: str) -> None:
    command = ["systemd-analyze", "calendar", parse_every(words).calendar]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Next elapse" in done.stdout
