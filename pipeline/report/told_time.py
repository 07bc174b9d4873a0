"""Whether a run kept to the time that it told when its search began."""

from models.number_text import duration
from models.search.search_record import SearchRecord
from pipeline.node_names import SEARCH
from pipeline.report.run_record import RunRecord


def seconds_to_push(run: RunRecord, record: SearchRecord | None) -> float | None:
    """Seconds from when the time was told to the push.

    Args:
        run: that ended.
        record: of its search; None where there was none.

    Returns:
        None where nothing was told, nothing was pushed, or a part came from an earlier run.
    """
    names = [stage.name for stage in run.stages]
    if record is None or record.told_seconds is None:
        return None
    if run.status != "pushed" or SEARCH not in names:
        return None
    stages = run.stages[names.index(SEARCH) :]
    if any(stage.cached for stage in stages):
        return None
    return sum(stage.seconds for stage in stages) - record.before_seconds


def told_words(told: float | None, taken: float | None) -> str:
    """What was told and what it took, for a person; empty where it cannot be compared."""
    if told is None or taken is None:
        return ""
    return f"{duration(taken)} since the search began, {duration(told)} foretold"
