"""Embeds the images, weighs their labels, and writes what was found."""

from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_types import Artifacts, Params
from components.beam_embedding.run import embedding_on_workers
from components.label_check.label_errors_file import (
    DoubtfulLabel,
    FoundLabelErrors,
    write_label_errors,
)
from components.transform.vocabulary import labels_from_transform_graph
from models.backbone_choice.model_settings import ModelSettings
from models.backbones import build_backbone
from models.data import example_schema
from models.data.image_decoding import ImageSpec
from models.embedding import EmbeddingSplit
from models.embedding.extraction import embed_together
from models.head.cleaning import decide
from models.head.embedded_task import labelled
from models.head.label_errors import NO_DOUBTS, LabelDoubts, doubt_labels
from models.head.label_handling import LabelErrors
from models.head.labelled_embeddings import LabelledEmbeddings
from models.head.out_of_fold import FOLDS, FoldedHeads
from models.head.wrong_share import WrongShare, wrong_share

_SPLITS: Final = (example_schema.TRAIN, example_schema.VALIDATION)
_SHOWN: Final = 0.1
"""Share of the images, the most doubtful ones, that are kept for people beside the suspects."""


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes the LabelErrors artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.label_check.component`.

        Raises:
            BadDataError: an image cannot be decoded.
            UsageError: the first backbone cannot be had.
            GraftError: a Beam worker cannot be reached, was lost or is not like the run.
        """
        examples = artifact_utils.get_single_uri(input_dict["examples"])
        labels = labels_from_transform_graph(
            artifact_utils.get_single_uri(input_dict["transform_graph"])
        )
        settings = ModelSettings.from_json(exec_properties["model"])
        folder = artifact_utils.get_single_uri(output_dict["label_errors"])
        with embedding_on_workers(self._beam_pipeline_args, folder):
            images, (training, _) = _embedded(examples, settings, exec_properties["cache_dir"])
        found = look_for_label_errors(
            images,
            training,
            labels,
            exec_properties["handling"],
            seed=exec_properties["seed"],
            examples="/".join(Path(examples).parts[-3:]),
        )
        write_label_errors(Path(folder), found)


def look_for_label_errors(
    embedded: EmbeddingSplit,
    training: int,
    labels: tuple[str, ...],
    handling: LabelErrors,
    *,
    seed: int,
    examples: str = "",
) -> FoundLabelErrors:
    """Weighs the labels of training and validation images.

    Args:
        embedded: all of them, the training images first.
        training: number of training images.
        labels: class names in the order of the model's outputs.
        handling: what becomes of the images whose label is taken for wrong.
        seed: of the parts that heads are fitted without.
        examples: see `FoundLabelErrors`.
    """
    images = labelled(embedded, labels)
    enough = _enough(images, len(labels))
    weighed = np.flatnonzero(enough)
    rows = images.rows(enough)
    doubts, share = _doubts(rows, embedded, weighed, len(labels), seed)
    cleaning = decide(doubts, share, rows.classes, weighed < training, handling)
    left_out = embedded.names[weighed[cleaning.left_out]]
    return FoundLabelErrors(
        examples=examples,
        images=len(weighed),
        unchecked=len(embedded.names) - len(weighed),
        suspects=int(doubts.is_suspect.sum()),
        reason=cleaning.reason,
        left_out=tuple(str(name) for name in left_out),
        doubtful=_doubtful(embedded, weighed, doubts, labels, training),
        weighed=dict(Counter(embedded.labels[weighed].tolist())),
    )


def _embedded(
    examples: str, settings: ModelSettings, cache_dir: str
) -> tuple[EmbeddingSplit, list[int]]:
    first = settings.resolved_candidates[0]
    backbone = build_backbone(
        first.backbone, first.weights, first.image_size, features=settings.features
    )
    spec = ImageSpec(backbone.image_size, settings.resize)
    return embed_together(examples, _SPLITS, backbone, spec, cache_dir)


def _doubts(
    rows: LabelledEmbeddings,
    embedded: EmbeddingSplit,
    weighed: NDArray[np.intp],
    classes: int,
    seed: int,
) -> tuple[LabelDoubts, WrongShare]:
    if not len(weighed):
        return NO_DOUBTS, WrongShare(0, 0)
    groups = None if embedded.groups is None else embedded.groups[weighed]
    heads = FoldedHeads(rows, classes, groups, seed=seed)
    answers = heads.probabilities()
    doubts = doubt_labels(rows.classes, answers)
    if doubts.is_suspect.any():
        # Heads that did not learn from these labels know better which of all are wrong.
        answers = heads.probabilities(doubts.is_suspect)
        doubts = doubt_labels(rows.classes, answers)
    return doubts, wrong_share(rows.classes, answers)


def _enough(images: LabelledEmbeddings, classes: int) -> NDArray[np.bool_]:
    """Which images are of a class that has one in each of the parts; none of a single such one."""
    known = images.classes >= 0
    is_large = np.bincount(images.classes[known], minlength=classes) >= FOLDS
    # Where only one class can be weighed there is no other that a label might be.
    return np.asarray(known & is_large[images.classes] & (is_large.sum() > 1))


def _doubtful(
    images: EmbeddingSplit,
    weighed: NDArray[np.intp],
    doubts: LabelDoubts,
    labels: tuple[str, ...],
    training: int,
) -> tuple[DoubtfulLabel, ...]:
    first = int(np.ceil(_SHOWN * len(weighed)))
    return tuple(
        DoubtfulLabel(
            name=str(images.names[weighed[row]]),
            split=_SPLITS[int(weighed[row] >= training)],
            label=str(images.labels[weighed[row]]),
            suggested=labels[doubts.suggested[row]],
            suggested_probability=float(doubts.suggested_probability[row]),
            label_probability=float(doubts.given_probability[row]),
            is_suspect=bool(doubts.is_suspect[row]),
        )
        for place, row in enumerate(doubts.order)
        if place < first or doubts.is_suspect[row]
    )
