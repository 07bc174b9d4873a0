"""How a served model is watched: the section `monitoring`."""

from typing import Annotated

from pydantic import Field

from models.observation.reference_size import MOST_IMAGES, MOST_STRESSED
from models.settings import Fraction, Section


class MonitoringSettings(Section):
    """What is remembered of a model when it is pushed, and what its server logs of requests."""

    reference_images: Annotated[int, Field(ge=20, le=MOST_IMAGES)] = MOST_IMAGES
    """Most test images whose answers are kept beside the pushed model, to compare requests with;
    of the training and the validation images half as many are asked."""
    stressed_images: Annotated[int, Field(ge=0, le=MOST_STRESSED)] = MOST_STRESSED
    """Most answers to test images made worse on purpose that are kept too, five of each image at
    most: the accuracy on requests is foretold from them. Each costs a forward pass, once a push;
    0 leaves them out, and what is foretold of changed images is then seldom called reliable."""
    reference_pictures: bool = True
    """Keep a small picture of each of those test images too, so that a page can show them."""
    log_requests: bool = True
    """`graft serve` logs requests, in the folder `requests` of the workspace."""
    sample_rate: Fraction = 1.0
    """Share of the requests that are logged whole. Errors always are; all are counted."""
    keep_images: bool = False
    """Keep the bytes of the images that are logged whole. Mind what they show of people."""
    keep_days: Annotated[float, Field(gt=0.0, le=100_000.0)] = 30.0
    """Days after which a file of the log is deleted."""
    keep_mib: Annotated[int, Field(ge=128, le=1_000_000_000)] = 1024
    """MiB that the log may take of the disk, kept images included. The oldest go first."""
    false_alarms: Annotated[float, Field(gt=0.0, le=0.2)] = 0.01
    """Chance of a false alarm of drift in the first 2,000 different images. A smaller one makes
    alarms later."""
    harm: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.05
    """Loss of accuracy that is worth a retraining."""
    cooldown_hours: Annotated[float, Field(ge=0.0, le=1_000_000.0)] = 20.0
    """`graft run --if-needed` waits so long after a retraining for the next one."""
