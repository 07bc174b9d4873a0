"""What the evidence of drift says, and in what words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SignalReport:
    """One number of an image, over the stream.

    Attributes:
        name: of the number.
        log_e: natural logarithm of the evidence that it moved, as a multiple of what is expected
            while nothing changes; at 1 / alpha times the number of signals it is enough by itself.
        alarm: it moved.
        since: the interval in which it began to, seconds since 1970, 95 % sure; None without alarm.
        direction: which way, in words; empty without alarm.
        reference_median: of the reference's images; NaN where there is none.
        now_median: of the images since then, or of the latest ones without alarm.
        heaviest: digests of the images that say so most, the heaviest first.
    """

    name: str
    log_e: float
    alarm: bool
    since: tuple[float, float] | None
    direction: str
    reference_median: float
    now_median: float
    heaviest: tuple[str, ...]


@dataclass(frozen=True)
class DriftReport:
    """All signals.

    Attributes:
        signals: those with the most evidence first.
        alarm: the images are not what they were.
        images: different ones that were looked at.
        log_e: natural logarithm of the evidence of all signals together; the alarm is at 1 / alpha.
        run_length: different images from one false alarm to the next on average, at least.
        alarms: alarms that began so far.
    """

    signals: tuple[SignalReport, ...]
    alarm: bool
    images: int
    log_e: float
    run_length: float
    alarms: int
