"""Names of artifacts and of their files, without TFX, which takes seconds to import."""

from typing import Final

TUNING_HISTORY: Final = "graft.TuningHistory"
"""The artifact type `components.artifact_types.TuningHistory` in ML Metadata."""

FORMER_TYPES: Final = {
    f"Graft{name}": f"graft.{name}"
    for name in (
        *("Quarantine", "Findings", "BackboneChoice", "TrainingState", "Embeddings"),
        *("MonitoringReference", "TuningHistory", "LabelErrors"),
    )
}
"""Artifact types by the names that an earlier Graft gave them, with what they are called now."""

HISTORY_FILE: Final = "history.jsonl"
"""The history in a TuningHistory artifact."""

INGEST_FILE: Final = "ingest.json"
"""What was taken in, in a Quarantine artifact."""

QUARANTINE_FILE: Final = "quarantine.jsonl"
"""What was left out, in a Quarantine artifact."""

LABEL_ERRORS_FILE: Final = "label_errors.json"
"""Which labels look wrong, in a LabelErrors artifact."""

EMBEDDED_BY_FILE: Final = "embedded_by.json"
"""How many images each Beam worker embedded for an artifact, in that artifact; none without."""

SCHEMA_FILE: Final = "schema.pbtxt"
"""The only file of a Schema artifact, as TFX names it."""

PROBE_FILE: Final = "probe.json"
"""Figures of the best head on the frozen backbone, in a Model artifact."""

PROBE_ANSWERS_FILE: Final = "probe_predictions.npz"
"""What it answers to the test images, in a Model artifact."""

PROBE_HEADS_FILE: Final = "probe_heads.npz"
"""That head itself, and those beside it, in a Model artifact."""

BEST_FILE: Final = "best_hyperparameters.txt"
"""Where TFX's Trainer looks for the values."""

TRAINING_FILE: Final = "training.json"
"""What the training did, in a Model artifact."""

EXPECTED_FILE: Final = "expected.json"
"""What the trainer's own model answers to some images, in a Model artifact."""

SERVING_FOLDER: Final = "Format-Serving"
"""The SavedModel in a Model artifact, as TFX names it."""

BODY: Final = "body"
"""In what an export says of itself: name of all of it but the head; empty where that is of no use
to other models."""

KERAS_FILE: Final = "keras/model.keras"
"""The trained model in a Model artifact."""

HEAD_FILE: Final = "keras/head.keras"
"""Its head alone, from what the backbone gives to logits."""

START_HEAD_FILE: Final = "keras/start_head.keras"
"""The linear head that a later training begins from, where that of the model learned from
validation images."""

START_MODEL_FILE: Final = "keras/start_model.keras"
"""The model that a later training begins from, where a fine-tuned one learned from validation
images."""


def further_head_file(column: str) -> str:
    """The head for a further label column in a Model artifact."""
    return f"keras/further/{column}.keras"


CARD_FILE: Final = "model-card.html"
"""In `assets.extra` of a pushed version; see `components.model_card`."""
MARKDOWN_CARD_FILE: Final = "model-card.md"
"""The same as Markdown."""

PUSH_FILE: Final = "push.json"
"""In a PushedModel: whether and where it was pushed, or why not."""

PUSHED_DIGEST: Final = "pushed_digest"
"""Custom property of a PushedModel: `models.storage.seals.tree_digest` of the pushed version."""

VERDICT_FILE: Final = "verdict.json"
"""In a ModelBlessing; see `components.judge.verdict_files`."""

METRICS_FILE: Final = "metrics.json"
"""In a ModelBlessing; see `components.judge.verdict_files`."""

SERVING_CHECK_FILE: Final = "serving_check.json"
"""In an InfraBlessing; see `components.serving_check.check`."""

BLESSING: Final = "ModelBlessing"
"""TFX's artifact type of a verdict on a model, with the custom properties below."""
BLESSED: Final = "blessed"
CURRENT_MODEL_ID: Final = "current_model_id"

REPLAYED_FOLDER: Final = "replayed/"
"""What the names of images begin with that come by `data.replay`."""
