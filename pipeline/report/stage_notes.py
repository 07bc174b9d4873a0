"""What came of each stage in a few words, the same whether it ran or its result was cached."""

from collections.abc import Callable
from functools import partial

from components.artifact_names import (
    INGEST_FILE,
    SERVING_CHECK_FILE,
    TRAINING_FILE,
    VERDICT_FILE,
)
from components.findings import FINDINGS_FILE
from models.embedding.artifact import INFO_FILE
from models.search.joint_space import in_words
from models.wording import counted
from pipeline.report.account import (
    data_account,
    embedding_words,
    findings_words,
    training_account,
    workers_words,
)
from pipeline.report.artifact_reader import (
    read_embedded_by,
    read_found_labels,
    read_list,
    read_object,
    read_quarantine,
    read_search,
    read_tuning,
)
from pipeline.report.run_record import RunRecord

_MOST_FINDINGS = 20


def stage_note(stage: str, run: RunRecord) -> str:
    """Reads what a stage left.

    Args:
        stage: that has just ended.
        run: with the stage's artifacts.

    Returns:
        A few words; empty for a stage of which there is nothing to tell, or whose files are
        damaged.
    """
    note = _NOTES.get(stage)
    try:
        workers = workers_words(read_embedded_by(run, [stage]))
        words = [note(run) if note else "", workers and f"embedded by {workers}"]
        return ", ".join(filter(None, words))
    except (TypeError, ValueError, AttributeError, LookupError):
        return ""


def findings_lines(run: RunRecord, artifact: str) -> list[str]:
    """Lines on what a stage found: of very many findings the first, as the report has all.

    Args:
        run: with the stage's artifacts.
        artifact: of the findings, as the report knows it.
    """
    findings = read_list(run, artifact, FINDINGS_FILE)
    lines = [
        f"    {each.get('severity')}: {' '.join(str(each.get('message')).split())}"
        for each in findings[:_MOST_FINDINGS]
    ]
    more = len(findings) - len(lines)
    return [*lines, f"    and {more:,} more, which the report names"] if more else lines


def _ingest(run: RunRecord) -> str:
    ingest = read_object(run, "quarantine", INGEST_FILE)
    account = data_account(ingest, read_quarantine(run, "quarantine"))
    workers = workers_words(ingest.get("workers"))
    return (account.words if account else "") + (f", by {workers}" if workers else "")


def _unlabelled(run: RunRecord, artifact: str = "unlabelled_quarantine") -> str:
    ingest = read_object(run, artifact, INGEST_FILE)
    account = data_account(ingest, read_quarantine(run, artifact))
    return account.words if account else ""


def _validate(run: RunRecord) -> str:
    return findings_words(read_list(run, "findings", FINDINGS_FILE))


def _labels(run: RunRecord) -> str:
    found = read_found_labels(run)
    return found.words if found else ""


def _embed(run: RunRecord) -> str:
    return embedding_words(read_object(run, "embeddings", INFO_FILE))


def _train(run: RunRecord) -> str:
    ingest = read_object(run, "quarantine", INGEST_FILE)
    account = training_account(read_object(run, "model", TRAINING_FILE), ingest)
    return account.words if account else ""


def _search(run: RunRecord) -> str:
    history, record = read_tuning(run), read_search(run)
    if history is None or record is None:
        return "nothing was searched" if record else ""
    return f"{counted(len(history.trials), 'configuration')}; {in_words(record.chosen)}"


def _serve(run: RunRecord) -> str:
    check = read_object(run, "serving_check", SERVING_CHECK_FILE)
    return "answers as trained over REST and gRPC" if check["passed"] else str(check["reason"])


def _judge(run: RunRecord) -> str:
    checks = read_object(run, "blessing", VERDICT_FILE)["checks"]
    failed = sum(not check["passed"] for check in checks)
    return f"{failed} of {len(checks)} checks failed" if failed else f"{len(checks)} checks passed"


def _push(run: RunRecord) -> str:
    return f"version {run.version}" if run.version else ""


def _publish(run: RunRecord) -> str:
    return f"to {run.published_to}" if run.published_to else ""


_NOTES: dict[str, Callable[[RunRecord], str]] = {
    "ImageExampleGen": _ingest,
    "ImageValidator": _validate,
    "LabelCheck": _labels,
    "FeatureExtractor": _embed,
    "Tuner": _search,
    "UnlabelledImages": _unlabelled,
    "TargetImages": partial(_unlabelled, artifact="target_quarantine"),
    "Trainer": _train,
    "Judge": _judge,
    "ServingCheck": _serve,
    "Pusher": _push,
    "Publisher": _publish,
}
