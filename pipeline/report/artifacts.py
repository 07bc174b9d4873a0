"""What a run's components left behind, as the report has it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # they bring TensorFlow, which a failed run's summary has to do without
    from components.judge.explanations import Explanation
    from components.judge.prediction_file import Predictions
    from components.label_check.label_errors_file import FoundLabelErrors
    from models.history.tuning_history import TuningHistory
    from models.search.search_record import SearchRecord
    from pipeline.report.data_statistics import SplitStatistics

Json = dict[str, Any]


@dataclass(frozen=True)
class Artifacts:
    """What the components of one run wrote; empty or None where they did not.

    Attributes:
        ingest: `ingest.json` of Quarantine.
        quarantine: all that was left out.
        unlabelled: `ingest.json` on the images without labels; empty where there are none.
        unlabelled_left_out: what was left out of these.
        target: `ingest.json` on the images of another domain; empty where there are none.
        target_left_out: what was left out of these.
        class_changes: how the classes differ from those of the schema; `class_changes.json`.
        findings: of validation, and of the look for wrong labels.
        further_labels: `further_labels.json` of Findings, how many images have a label in each
            further column; empty where there are no such columns.
        label_errors: labels that look wrong.
        statistics: split name to its statistics.
        embeddings: `meta.json` of Embeddings.
        embedded_by: images that Beam's workers embedded, by worker, once for each backbone.
        history: of the search.
        search: what it did; also where nothing was searched.
        probe: `probe.json`, the best head on the frozen backbone.
        training: `training.json` of the model.
        lineage: `graft.json` of the model.
        verdict: `verdict.json` of the Judge.
        metrics: `metrics.json` of the Judge.
        predictions: of the model on the test split.
        new_classes: how the classes differ from those of the last blessed model;
            `class_changes.json` of the Judge.
        explanations: of some of them.
        serving_check: `serving_check.json`.
        validated: whether validation came to an end, with or without findings.
    """

    ingest: Json = field(default_factory=dict)
    quarantine: list[Json] = field(default_factory=list)
    unlabelled: Json = field(default_factory=dict)
    unlabelled_left_out: list[Json] = field(default_factory=list)
    target: Json = field(default_factory=dict)
    target_left_out: list[Json] = field(default_factory=list)
    findings: list[Json] = field(default_factory=list)
    further_labels: list[Json] = field(default_factory=list)
    class_changes: Json = field(default_factory=dict)
    label_errors: "FoundLabelErrors | None" = None
    statistics: "dict[str, SplitStatistics]" = field(default_factory=dict)
    embeddings: Json = field(default_factory=dict)
    embedded_by: dict[str, int] = field(default_factory=dict)
    history: "TuningHistory | None" = None
    search: "SearchRecord | None" = None
    probe: Json = field(default_factory=dict)
    training: Json = field(default_factory=dict)
    lineage: Json = field(default_factory=dict)
    verdict: Json = field(default_factory=dict)
    metrics: Json = field(default_factory=dict)
    predictions: "Predictions | None" = None
    new_classes: Json = field(default_factory=dict)
    explanations: "list[Explanation]" = field(default_factory=list)
    serving_check: Json = field(default_factory=dict)
    validated: bool = False
