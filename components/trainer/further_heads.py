"""The heads for further label columns, from what the final backbone gives of the images."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from components.trainer.task_reader import Inputs, ReadTask
from models.backbones.weight_files import digest
from models.data import example_schema
from models.data.example_reader import derived_features
from models.embedding import read_embeddings
from models.embedding.extraction import embed_splits
from models.head.further_head import ColumnLabels, FurtherHead, fit_further_head

_SPLITS: Final = (example_schema.TRAIN, example_schema.VALIDATION)


def fit_further_heads(
    columns: Sequence[str], read: ReadTask, inputs: Inputs
) -> tuple[FurtherHead, ...]:
    """Fits a head for each further column; to be called when the training is over.

    Where training left the backbone as it was, its embeddings are there; else it runs once over all
    images. Only on a backbone that has not learned from these images do the heads learn from the
    validation images too: what a fine-tuned one gives of its training images is unlike that.

    Args:
        columns: names of the columns.
        read: the training's task, whose backbone has its final weights.
        inputs: where that task was read from.

    Raises:
        BadDataError: a column has no label on a training or on a validation image.
    """
    if not columns:
        return ()
    settings, weights = read.task.settings, digest(read.task.backbone.trunk)
    is_frozen = weights == read.data.info.weights_digest
    if is_frozen:
        embedded = {split: read_embeddings(inputs.embeddings_uri, split) for split in _SPLITS}
    else:
        final = replace(read.task.backbone, weights_digest=weights)
        embedded = embed_splits(
            inputs.examples_uri, _SPLITS, final, read.task.spec, inputs.embeddings_dir
        )
    features = {column: example_schema.slice_feature(column) for column in columns}
    told = {
        split: derived_features(inputs.examples_uri, split, features.values()) for split in _SPLITS
    }

    def labels_of(column: str, split: str) -> ColumnLabels:
        """In the order of the embeddings."""
        names, labels = told[split][example_schema.NAME], told[split][features[column]]
        label = dict(zip(names.tolist(), labels.tolist(), strict=True))
        ordered = [label[name] for name in embedded[split].names.tolist()]
        return ColumnLabels(embedded[split].embeddings, ordered)

    return tuple(
        fit_further_head(
            column,
            labels_of(column, example_schema.TRAIN),
            labels_of(column, example_schema.VALIDATION),
            settings.weighting,
            refit_images=settings.refit_images if is_frozen else 0,
        )
        for column in columns
    )
