"""Whether a backbone has learned from the images that it is to be judged on."""

from collections.abc import Iterable

import numpy as np

from models.backbone_choice.backbone_choice import Candidate
from models.backbone_record import read_record
from models.backbones.backbone_file import read_images, short_digests
from models.data import example_schema
from models.data.example_reader import derived_features
from models.errors import BadDataError


def check_unseen(examples_uri: str, candidates: Iterable[Candidate]) -> None:
    """Refuses backbones that were fine-tuned on images of the validation or the test split.

    They would answer these better than any others, and nothing afterwards would tell. Images are
    known by their bytes: a second photo of the same thing is not found.

    Args:
        examples_uri: of the Examples.
        candidates: with their weights.

    Raises:
        BadDataError: some were.
        UsageError: a file of weights is damaged.
    """
    files = {each.weights for each in candidates if read_record(each.weights)}
    if not files:
        return
    held = {
        split: short_digests(derived_features(examples_uri, split)[example_schema.SHA256].tolist())
        for split in (example_schema.VALIDATION, example_schema.TEST)
    }
    for file in sorted(files):
        learned = read_images(file)
        for split, images in held.items():
            seen = int(np.isin(images, learned).sum())
            if seen:
                raise BadDataError(
                    f"{seen:,} of {len(images):,} {split} images are among those that the backbone "
                    f"in {file} learned from: it would look better on them than it is. Leave them "
                    "out of this data, or out of the data of that training."
                )
