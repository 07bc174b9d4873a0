"""Artifact types that Graft's components exchange, beside TFX's standard ones.

Their names have a dot, and they declare no properties, because Kubeflow Pipelines takes no others.
"""

from collections.abc import Sequence
from typing import Any

from tfx.types.artifact import Artifact

from components.artifact_names import TUNING_HISTORY

Artifacts = dict[str, list[Artifact]]
"""What an executor reads or writes, by the name of the channel."""
Params = dict[str, Any]
"""The parameters of an executor, by name."""


class Quarantine(Artifact):
    """What ingest left out, and what it took in.

    Files: `quarantine.jsonl`, one object for each thing left out with `name`, `code`, `reason` and
    `fate` (refused, passed_over or unknown), where a folder that was not entered has a name that
    ends in a slash; `ingest.json` with `images` (used), `quarantined`
    (refused), `passed_over` and `unknown`, which add up to `offered`, `classes` (name to count),
    `splits` (name to count), `converted` (conversion to count), `split_source` ("user" or
    "assigned"), `carved` (splits set aside by Graft), `lost_classes` (names of those with no image
    left), `layout` (how the folders were read, in words; empty for other sources),
    `spans` (beginnings of names, the oldest first; none of data without several),
    `kept_test` (test images that the last blessed model was tested on, too), `replayed` (images
    that come from that model's data) and `fingerprint`.
    """

    TYPE_NAME = "graft.Quarantine"


class Findings(Artifact):
    """What validation found.

    Files: `findings.json`, a list of objects with `check`, `severity` ("error", "warning" or
    "info"), `message`, `mend` (the end of it, for whoever runs the pipeline), `images` (names, at
    most 20) and `count`; `class_changes.json` with `classes` (name to count) and `changes`, a list
    of `components.class_changes.ClassChange`.
    """

    TYPE_NAME = "graft.Findings"


def first_uri(artifacts: Sequence[Artifact]) -> str | None:
    """Folder of the artifact of an input that may be missing; None where it is."""
    return str(artifacts[0].uri) if artifacts else None


class LabelErrors(Artifact):
    """Which labels look wrong, and which images are left out for it.

    The format is in `components.label_check.label_errors_file`.

    File: `label_errors.json`.
    """

    TYPE_NAME = "graft.LabelErrors"


class BackboneChoice(Artifact):
    """Which backbone was chosen.

    The format is in `models.backbone_choice.backbone_choice`.

    File: `choice.json`.
    """

    TYPE_NAME = "graft.BackboneChoice"


class TrainingState(Artifact):
    """What the final training goes on from: the search's training of the same configuration.

    File: `state.npz` of `models.training.training_state`; none where nothing was begun.
    """

    TYPE_NAME = "graft.TrainingState"


class Embeddings(Artifact):
    """Features of the frozen backbone; format in `models.embedding`.

    Files: `<split>.npy`, `<split>.npz` and `meta.json`.
    """

    TYPE_NAME = "graft.Embeddings"


class MonitoringReference(Artifact):
    """What a model answers to images that it was not trained on.

    The format is in `models.observation.reference`.

    File: `monitoring-reference.npz`; none where the model was not blessed.
    """

    TYPE_NAME = "graft.MonitoringReference"


class TuningHistory(Artifact):
    """Every trial of one search and the task it was made on.

    The format is in `models.history.tuning_history`.

    Files: `history.jsonl`, and `search.json` (what the search did; see
    `models.search.search_record`).
    """

    TYPE_NAME = TUNING_HISTORY
