"""`summary.json`: what a run came to, for machines. Its keys are a contract."""

from dataclasses import asdict
from typing import Any

from pipeline.report.account import (
    data_account,
    findings_words,
    severities,
    training_account,
)
from pipeline.report.artifacts import Artifacts, Json
from pipeline.report.further_view import labelled_words
from pipeline.report.reproduction import Reproduction
from pipeline.report.run_record import RunRecord
from pipeline.report.told_time import seconds_to_push

_PER_CLASS = (
    *("images", "precision", "recall", "f1", "auc"),
    *("precision_interval", "recall_interval", "auc_interval"),
)
_COMPARED = {
    "last_blessed": "max_accuracy_drop",
    "last_blessed_old": "max_accuracy_drop_old",
    "last_blessed_new": "max_accuracy_drop_new",
    "probe": "max_drop_below_probe",
}
"""Name of a comparison to that of the Judge's check."""


def summary(run: RunRecord, found: Artifacts) -> Json:
    """Puts together the summary of a run.

    Args:
        run: what is known of the run itself.
        found: what its components left.

    Returns:
        JSON object. Every key is always there; a figure that the run did not come to is None.
        `exit_code` is that of the command.
        `status` is "pushed", "not_blessed", "stage_done" (of `graft stage`), "not_needed",
        "out_of_time" or "failed"; `data.class_changes` tells of the schema's classes,
        `model.class_changes` of the last blessed model's; `model.chain` holds the trainings that
        the backbone went through before this run's, in order; `metrics.forgetting` compares with
        that model on the classes that it knew, None without one; `data.kept_test` counts the test
        images that it was tested on, too; `data.workers` counts images by the Beam worker that took
        them, and is empty where the run's own process took all, and `data.embedded_by` those that
        were embedded, once for each backbone; `stages` holds seconds and whether
        the result came from an earlier run; `tuning.seconds` is by the clock,
        `tuning.process_seconds` and `tuning.budget` are of all processes together, of which there
        were several where `tuning.is_shared`; `tuning.past`
        holds the names of the searches that this one learned from, `tuning.past_trusted` is None
        without any; `tuning.related` names earlier
        tasks whose fine-tuned backbones may be a better start; `tuning.told_seconds` is what was
        told as the search began for all until the push, and `tuning.taken_seconds` what that
        took, None where some of it came from an earlier run; `repairs` says what was found
        damaged and was made again or left out; all shares are in 0..1, and an interval is the lower
        and upper end of a figure's 95 % interval. `data.further_labels` and
        `metrics.further_labels` hold what is said of each further label column, by its name.
    """
    return {
        "status": run.status,
        "reason": run.reason,
        "exit_code": run.exit_code,
        "run_id": run.run_id,
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 2),
        "data": _data(found),
        "stages": {
            stage.name: {"seconds": round(stage.seconds, 2), "cached": stage.cached}
            for stage in run.stages
        },
        "tuning": _tuning(run, found),
        "metrics": _metrics(found),
        "model": _model(run, found),
        "repairs": run.repairs,
        "reproduction": asdict(run.reproduction or Reproduction()),
        "serving_check": {
            "rest": found.serving_check.get("rest"),
            "grpc": found.serving_check.get("grpc"),
        },
    }


def _data(found: Artifacts) -> Json:
    classes = found.ingest.get("classes")
    account = data_account(found.ingest, found.quarantine)
    unlabelled = data_account(found.unlabelled, found.unlabelled_left_out)
    target = data_account(found.target, found.target_left_out)
    return {
        "images": found.ingest.get("images"),
        "classes": None if classes is None else len(classes),
        "quarantined": found.ingest.get("quarantined"),
        "fingerprint": found.ingest.get("fingerprint"),
        "offered": None if account is None else account.offered,
        "passed_over": None if account is None else account.count("passed_over"),
        "unknown": None if account is None else account.count("unknown"),
        "left_out": {} if account is None else account.left_out,
        "words": "" if account is None else account.words,
        "unlabelled": unlabelled.words if unlabelled else "",
        "target": target.words if target else "",
        "layout": found.ingest.get("layout"),
        "kept_test": found.ingest.get("kept_test"),
        "workers": found.ingest.get("workers", {}),
        "embedded_by": found.embedded_by,
        "replayed": found.ingest.get("replayed"),
        "identical": found.embeddings.get("identical"),
        "class_changes": found.class_changes or None,
        "findings": {
            "counts": severities(found.findings),
            "words": findings_words(found.findings) if found.validated else "",
            "list": found.findings,
        },
        "labels": _labels(found),
        "further_labels": {
            each["column"]: {
                **{key: each[key] for key in ("images", "splits", "classes")},
                "words": labelled_words(each),
            }
            for each in found.further_labels
        },
    }


def _labels(found: Artifacts) -> Json:
    errors = found.label_errors
    return {
        "weighed": None if errors is None else errors.images,
        "suspects": None if errors is None else errors.suspects,
        "not_trained_on": None if errors is None else len(errors.left_out),
        "words": "" if errors is None else errors.words,
    }


def _tuning(run: RunRecord, found: Artifacts) -> Json:
    history, record = found.history, found.search
    best = None if history is None else history.best
    return {
        "configurations": None if history is None else len(history.trials),
        "best": None if best is None else {"score": best.score, "values": dict(best.values)},
        "budget": None if record is None else record.budget,
        "seconds": _rounded(None if record is None else record.elapsed),
        "is_shared": record is not None and record.is_shared,
        "process_seconds": _rounded(None if record is None else record.spent),
        "usual_seconds": None if record is None else round(record.usual_seconds, 2),
        "told_seconds": _rounded(None if record is None else record.told_seconds),
        "taken_seconds": _rounded(seconds_to_push(run, record)),
        "words": "" if record is None else record.words,
        "past": None if record is None else list(record.past),
        "past_trusted": None if record is None else record.trusted,
        "left_out": [each.model_dump(mode="json") for each in record.left_out] if record else [],
        "related": [each.model_dump(mode="json") for each in record.related] if record else [],
        "backbones": [each.model_dump(mode="json") for each in record.backbones] if record else [],
        "refused": [each.model_dump(mode="json") for each in record.refused] if record else [],
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def _metrics(found: Artifacts) -> Json:
    quality: Json = found.metrics.get("quality", {})
    names = ("accuracy", "top_k_accuracy", "loss", "macro_auc", "calibration_error")
    trained = training_account(found.training, found.ingest)
    per_class: dict[str, Any] = {
        each["label"]: {key: each.get(key) for key in _PER_CLASS}
        for each in quality.get("classes", [])
    }
    return {
        **{name: quality.get(name) for name in names},
        **{f"{name}_interval": quality.get(f"{name}_interval") for name in names if name != "loss"},
        "test_images": quality.get("images"),
        "validation_accuracy": found.training.get("validation_accuracy"),
        "validation_accuracy_interval": None if trained is None else trained.interval,
        "probe_accuracy": found.metrics.get("probe_accuracy"),
        "probe_accuracy_interval": found.metrics.get("probe_accuracy_interval"),
        "comparisons": {name: _drop(check, found) for name, check in _COMPARED.items()},
        "per_class": per_class,
        "further_labels": _further(found),
        "forgetting": found.metrics.get("forgetting"),
        "shortcuts": found.metrics.get("shortcuts", []),
        "slices": {
            "words": _words_of("max_slice_gap", found),
            "gaps": found.metrics.get("gaps", []),
        },
    }


def _further(found: Artifacts) -> Json:
    """Figures of each further label column."""
    trained = {each["column"]: each for each in found.training.get("further_labels", [])}
    told = {}
    for each in found.metrics.get("further_labels", []):
        quality, column = each["quality"], each["column"]
        told[column] = {
            **{name: quality[name] for name in ("accuracy", "accuracy_interval")},
            "test_images": quality["images"],
            "validation_accuracy": trained.get(column, {}).get("validation_accuracy"),
            **{key: value for key, value in each.items() if key not in ("column", "quality")},
            "calibration_error": quality["calibration_error"],
            "per_class": {
                row["label"]: {key: row.get(key) for key in _PER_CLASS}
                for row in quality["classes"]
            },
        }
    return told


def _drop(check: str, found: Artifacts) -> Json | None:
    """Accuracy lost against another model; None where there was nothing to compare with."""
    for each in found.verdict.get("checks", []):
        if each.get("name") == check and each.get("value") is not None:
            return {"drop": each["value"], "interval": each.get("interval")}
    return None


def _words_of(check: str, found: Artifacts) -> str:
    """What a check of the Judge says; empty where it was not made."""
    checks = found.verdict.get("checks", [])
    return next((str(each["words"]) for each in checks if each.get("name") == check), "")


def _model(run: RunRecord, found: Artifacts) -> Json:
    trained = training_account(found.training, found.ingest)
    return {
        "backbone": found.lineage.get("backbone") or found.embeddings.get("backbone"),
        "weights_digest": found.lineage.get("weights_digest")
        or found.embeddings.get("weights_digest"),
        "chain": found.lineage.get("chain", []),
        "image_size": found.embeddings.get("image_size"),
        "strategy": None if trained is None else trained.strategy,
        "requested_strategy": run.config.get("training", {}).get("strategy"),
        "trained_strategy": None if trained is None else trained.chosen,
        "start": None if trained is None else trained.start,
        "exported": None if trained is None else trained.exported,
        "exported_reason": None if trained is None else trained.reason,
        "strategies": found.training.get("strategies", []),
        "calibration": found.training.get("calibration"),
        "refitted_images": None if trained is None else trained.refitted_images,
        "blocks": found.training.get("blocks", []),
        "words": "" if trained is None else trained.words,
        "class_changes": found.new_classes.get("changes", []),
        "pushed_to": run.pushed_to,
        "published_to": run.published_to,
        "version": run.version,
        "card": None if run.card is None else str(run.card),
    }
