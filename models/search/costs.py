"""What trainings take on this machine, told before they are made.

Counted are the multiplications and additions; measured passes over a few images say how long the
machine takes for them, and the first of them, which is traced, how long for what one thread does.
The search corrects what is left by what it sees.
"""

import json
import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from models.backbone_choice.backbone_choice import Candidate
from models.backbones.multiply_adds import Work, count_work
from models.embedding.timing import milliseconds_an_image
from models.history.search_space import Values
from models.inference import compiled_forward
from models.search.joint_space import (
    AUGMENT,
    ON,
    UNFREEZE,
    candidate_of,
    is_frozen,
)
from models.search.prepared_backbone import PreparedBackbone
from models.storage.seals import read_sealed, write_sealed
from models.training.activation_cache import VIEWS
from models.training.training_settings import steps_per_epoch
from models.training.training_state import TRAINING_PASSES

_STEP: Final = 0.8e9
"""Multiplications and additions that a step takes as long as beside its images: to update weights
and their average. On 2 cores 0.05 s, for images of 64 px."""
_TRACED_PASS: Final = 1.6
"""Seconds that the first pass through EfficientNetLite0 took where the seconds below were seen."""
_EPOCH_SECONDS: Final = 1.5
"""Of an epoch beside its images: to keep its state, and to swap the averaged weights."""
_EMBEDDING_TRACE: Final = 4.0
"""Seconds that TensorFlow takes to trace a backbone."""
_TRAINING_TRACE: Final = 13.0
"""Seconds that it takes to trace the training above a cut, and what lies below."""
_MIRROR_SECONDS: Final = 6.0
"""To find out, once a backbone, whether images may be mirrored."""
_HEAD_SECONDS_AN_IMAGE: Final = 2e-3
"""That the linear head takes."""
_TIMED_IMAGES, _TIMED_ROUNDS = 16, 9
_MACHINE = "machine.json"


@dataclass(frozen=True)
class Pace:
    """How fast a machine is, with what else it does at the time.

    Attributes:
        rate: seconds for a multiplication and addition, forwards.
        slowness: seconds that it takes for what took one second where the constants were seen, of
            what one thread does.
    """

    rate: float
    slowness: float = 1.0


@dataclass
class Costs:
    """Expected seconds of what may be trained.

    Attributes:
        images: to train on.
        validation_images: to validate on.
        batch_size: images a step.
        shares: of a backbone that may be unfrozen.
        pace: of this machine.
        processes: that train at a time. Each traces by itself, and computes what its frozen layers
            make of the images; only embeddings are there for all.
    """

    images: int
    validation_images: int
    batch_size: int
    shares: tuple[float, ...]
    pace: Pace
    processes: int = 1
    _paid: Counter[tuple[object, ...]] = field(default_factory=Counter)

    def epoch(self, values: Values) -> float:
        """Seconds of an epoch of a configuration."""
        work = self._work(candidate_of(values))
        if is_frozen(values):
            return self._alone(_HEAD_SECONDS_AN_IMAGE * self.images)
        top = work.top[float(values[UNFREEZE])]
        steps = steps_per_epoch(self.images, self.batch_size)
        images = TRAINING_PASSES * self.images + self.validation_images
        return self._alone(_EPOCH_SECONDS) + self._counted(top * images + _STEP * steps)

    def start(self, values: Values) -> float:
        """Seconds before its next epoch, for what was not paid by another configuration."""
        candidate = candidate_of(values)
        work = self._work(candidate)
        everything = self.images + self.validation_images
        seconds = 0.0
        if ("embedded", candidate) not in self._paid:
            seconds += self._alone(_EMBEDDING_TRACE) + self._counted(work.forward * everything)
        if is_frozen(values):
            return seconds
        share = float(values[UNFREEZE])
        seconds += self._unpaid("traced", candidate, share) * self._alone(_TRAINING_TRACE)
        if values[AUGMENT] == ON:
            tried = self._alone(_MIRROR_SECONDS)
            tried += self._counted(work.forward * self.validation_images)
            seconds += self._unpaid("mirrored", candidate) * tried
        views = _views(values) * self.images + self.validation_images
        below = self._counted((work.forward - work.top[share]) * views)
        return seconds + self._unpaid("run", candidate, share, values[AUGMENT]) * below

    def _unpaid(self, *what: object) -> float:
        """Share of the processes that have not done something yet, as far as it is known."""
        return max(0.0, 1.0 - self._paid[what] / self.processes)

    def again(self) -> float:
        """Seconds before a fine-tuning goes on in another process."""
        return self._alone(_TRAINING_TRACE)

    def further_start(self, fine_tuning: Values, images: int) -> float:
        """Seconds before a fine-tuning goes on, or begins anew, with so many further images."""
        work = self._work(candidate_of(fine_tuning))
        below = work.forward - work.top[float(fine_tuning[UNFREEZE])]
        views = _views(fine_tuning) * images
        return self._alone(_EMBEDDING_TRACE) + self._counted(below * views)

    def answering(self, fine_tuning: Values, images: int) -> float:
        """Seconds in which what is trained answers all views of so many images."""
        top = self._work(candidate_of(fine_tuning)).top[float(fine_tuning[UNFREEZE])]
        return self._counted(top * _views(fine_tuning) * images)

    def embedding(self, candidate: Candidate, images: int) -> float:
        """Seconds to trace a backbone, and to run so many images through it."""
        return self._alone(_EMBEDDING_TRACE) + self._counted(self.serving(candidate) * images)

    def pay(self, values: Values) -> None:
        """Notes that a configuration was begun, by one of the processes."""
        candidate = candidate_of(values)
        paid: list[tuple[object, ...]] = [("embedded", candidate)]
        if not is_frozen(values):
            share = float(values[UNFREEZE])
            paid.append(("traced", candidate, share))
            if values[AUGMENT] == ON:
                paid.append(("mirrored", candidate))
            paid.append(("run", candidate, share, values[AUGMENT]))
        self._paid.update(paid)

    def training(self, values: Values, epochs: int) -> float:
        """Seconds of so many epochs of a configuration, with all that comes before them."""
        return self.start(values) + epochs * self.epoch(values)

    def serving(self, candidate: Candidate) -> float:
        """Multiplications and additions of a backbone for an image."""
        return self._work(candidate).forward

    def seconds(self, multiply_adds: float, alone: float) -> float:
        """Seconds of so much computing, and of what one thread does for so many seconds."""
        return self._counted(multiply_adds) + self._alone(alone)

    def _counted(self, multiply_adds: float) -> float:
        return self.pace.rate * multiply_adds

    def _alone(self, seconds: float) -> float:
        return self.pace.slowness * seconds

    def _work(self, candidate: Candidate) -> Work:
        assert candidate.image_size is not None
        return count_work(candidate.backbone, candidate.image_size, self.shares)


def _views(fine_tuning: Values) -> int:
    """Of an image that is trained on, what is frozen runs over so many."""
    return VIEWS if fine_tuning[AUGMENT] == ON else 1


def measured_pace(prepared: PreparedBackbone, shares: Iterable[float], folder: Path) -> Pace:
    """How fast this machine is now; takes some seconds.

    Args:
        prepared: the backbone to measure with.
        shares: see `Costs`.
        folder: of the search. The figures are kept there, so that a search that was killed goes on
            with the same.
    """
    kept = _read(folder / _MACHINE)
    if kept is not None:
        return kept
    backbone = prepared.backbone
    size = backbone.image_size
    forward = compiled_forward(backbone.model)
    begin = time.perf_counter()
    forward(np.zeros((1, size, size, 3), np.float32))
    slowness = (time.perf_counter() - begin) / _TRACED_PASS
    milliseconds = milliseconds_an_image(forward, size, _TIMED_IMAGES, _TIMED_ROUNDS)
    work = count_work(backbone.name, size, shares)
    pace = Pace(rate=milliseconds / 1000 / work.forward, slowness=slowness)
    write_sealed(folder / _MACHINE, json.dumps(asdict(pace)).encode())
    return pace


def _read(path: Path) -> Pace | None:
    try:
        figures = {name: float(each) for name, each in json.loads(read_sealed(path) or b"").items()}
        pace = Pace(**figures)
    except (ValueError, AttributeError, TypeError):
        return None
    return pace if all(math.isfinite(each) and each > 0 for each in figures.values()) else None
