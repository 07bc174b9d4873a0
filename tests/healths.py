"""What a monitor may say, for tests of those who show it."""

from monitoring.accuracy.report import AccuracyReport, Labelled, PartAccuracy
from monitoring.accuracy.skew import SkewReport
from monitoring.data_faults import DataFault
from monitoring.decision import Decision, Past
from monitoring.evidence.drift_report import DriftReport, SignalReport
from monitoring.health import Health
from monitoring.requests import Requests

NOW = 1_800_000_000.0
HOSTILE = "<img src=x onerror=\"document.title='broken into'\">"


def harmful(class_name: str = HOSTILE, heaviest: tuple[str, ...] = ()) -> Health:
    """Darker images, of which fewer are answered right."""
    darker = SignalReport(
        name="brightness",
        log_e=12.3,
        alarm=True,
        since=(NOW - 3600.0, NOW - 3000.0),
        direction="lower: median 0.31 → 0.18",
        reference_median=0.31,
        now_median=0.18,
        heaviest=heaviest,
    )
    calm = SignalReport("sharpness", -0.4, False, None, "", 0.04, 0.041, ())
    accuracy = AccuracyReport(
        images=1_000,
        estimate=0.71,
        low=0.66,
        high=0.76,
        reliable=True,
        why="",
        reference=0.94,
        reference_interval=(0.92, 0.96),
        by_class=(PartAccuracy(class_name, 120, 0.6, 0.5, 0.7, 0.95, fell=True),),
        by_slice=(PartAccuracy("dark", 300, 0.7, 0.6, 0.8, 0.93, fell=True),),
        labelled=Labelled(80, 0.7, 0.6, 0.79, foretold=0.72, error=0.02),
    )
    decision = Decision(
        action="retrain",
        health="harmful",
        reason="The images are darker, and fewer are answered right.",
        evidence=("brightness: lower: median 0.31 → 0.18",),
        train_on="The labelled requests.",
        past=Past(episode=NOW - 600.0),
    )
    requests = Requests(
        by_status={"OK": 1_950, "INVALID_ARGUMENT": 50},
        by_minute={int(NOW) - 60 * back: (100 + back % 60, 5) for back in range(600, 0, -1)},
        dropped=3,
        damaged={f"{HOSTILE}.parquet": "It is no Parquet file."},
    )
    drift = DriftReport((darker, calm), True, 1_800, log_e=12.3, run_length=995_000.0, alarms=1)
    return Health(
        time=NOW,
        model="graft",
        version=3,
        images=1_800,
        requests=requests,
        drift=drift,
        accuracy=accuracy,
        faults=(DataFault("flat pictures", f"{HOSTILE} are black", 0.2),),
        skew=SkewReport(40, 1, 2, 0.3, ("a" * 64,)),
        decision=decision,
    )
