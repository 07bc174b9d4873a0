"""What a run still takes after its training, told before it: to judge, prove and push the model."""

from typing import Final

from models.backbone_choice.backbone_choice import Candidate
from models.data import example_schema
from models.data.record_places import count_records
from models.observation.reference_size import MOST_IMAGES, MOST_STRESSED
from models.search.costs import Costs

_FIXED_SECONDS: Final = 60.0
"""To load what was exported in each stage that asks it, to start a server, and to copy files; where
the constants of `models.search.costs` were seen. Some 16 s on two cores with nothing else to do."""
_PASSES: Final = 4
"""That a test image takes: embedded, evaluated, judged, and noted for the monitor."""
_STRESSED: Final = 5
"""Times that the monitor's reference asks about a test image made worse."""
_COVERED: Final = 2_000
"""Test images with a part covered, that are asked about to find shortcuts."""
_SERVED: Final = 2.0
"""Passes of the backbone alone that an encoded image takes as long as."""


def seconds_after_training(costs: Costs, candidate: Candidate, examples_uri: str) -> float:
    """Expected seconds from the end of the training to the push.

    Args:
        costs: of trainings on this machine.
        candidate: the backbone, of which each image is a pass.
        examples_uri: directory of the Examples artifact.
    """
    test = count_records(examples_uri, example_schema.TEST)
    passes = _PASSES * test + min(MOST_STRESSED, _STRESSED * test) + _COVERED
    passes += sum(min(each, MOST_IMAGES // 2) for each in (costs.images, costs.validation_images))
    return costs.seconds(_SERVED * passes * costs.serving(candidate), _FIXED_SECONDS)
