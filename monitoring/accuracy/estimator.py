"""The accuracy now, from a stream of answers and of labels that come later."""

from dataclasses import replace
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from typing_extensions import Self

from models.intervals import share_interval
from models.observation.reference import Reference
from models.settings import Section
from monitoring.accuracy.confidence_sequence import ShareSoFar
from monitoring.accuracy.foretelling import Foreteller, Foretold
from monitoring.accuracy.parts import by_class, by_look, part_count
from monitoring.accuracy.report import AccuracyReport, Labelled
from monitoring.accuracy.suggestions import Suggestion, suggest
from monitoring.accuracy.traits import seen_in_log
from monitoring.accuracy.window import Window
from monitoring.observations import Observations

_Z: Final = 1.96
_NOW: Final = "now_"
_JUDGED: Final = "judged_"
_TRUE: Final = "true_classes"


class AccuracySettings(Section):
    """How the accuracy is followed."""

    window: Annotated[int, Field(ge=1)] = 1_000
    """Newest images that it is foretold from; all others are forgotten."""
    least: Annotated[int, Field(ge=1)] = 50
    """Images below which nothing is foretold."""
    doubt: Annotated[float, Field(gt=0.0, le=1.0)] = 0.05
    """Standard error of the estimate from which it is called unreliable."""
    novelty: Annotated[float, Field(gt=0.0, le=1.0)] = 0.6
    """Of the images, from which it is; see `Foretold`."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.least > self.window:
            raise ValueError(f"least is {self.least}, and window {self.window} holds fewer")
        return self


class AccuracyEstimator:
    """Follows the accuracy of one version. Equal input makes equal bits, whatever the batches."""

    def __init__(self, reference: Reference, settings: AccuracySettings | None = None) -> None:
        """Learns from the reference, which takes a second or so.

        Args:
            reference: of the version that answers.
            settings: the usual ones if left out.
        """
        self._reference = reference
        self._settings = settings or AccuracySettings()
        self._teacher = Foreteller(reference)
        self._now = Window(self._settings.window)
        self._judged = Window(self._settings.window)
        self._true = np.zeros(0, np.int32)
        self._share = ShareSoFar()

    def add(self, observed: Observations) -> None:
        """Takes in images in the order of the log, each digest once."""
        self._now.add(observed)

    def add_labels(self, observed: Observations, true_classes: NDArray[Any]) -> None:
        """Takes in labels that came, in the order in which they came, each image once.

        Only for images that were labelled without regard to their answers. Those that were chosen
        because they looked hard would make the accuracy look worse than it is.

        Args:
            observed: the answers, m images.
            true_classes: int [m], positions in `Reference.classes`; -1 for another class.
        """
        right = int((observed.class_ids == true_classes).sum())
        self._share = ShareSoFar(self._share.hits + right, self._share.images + len(observed))
        self._judged.add(observed)
        everything = np.concatenate([self._true, true_classes.astype(np.int32)])
        self._true = everything[len(everything) - len(self._judged) :]

    def correct_labels(
        self, observed: Observations, before: NDArray[Any], true_classes: NDArray[Any]
    ) -> None:
        """Counts images otherwise whose labels came anew, each in its old place.

        What holds of the interval then: of the labels that stay in the end, the share at each
        number of images is a `ShareSoFar`. So the interval holds the truth at all times at once at
        which the labels are those that stay; before, it is off by the images whose labels are going
        to be others. That supposes that labels are not looked at again for the answer's sake. Where
        only those are that the answer contradicts, wrong labels stay that agree with a wrong
        answer, and the share is too high by these.

        Args:
            observed: the answers, m images that `add_labels` took in.
            before: int [m], their classes until now.
            true_classes: int [m], their classes from now on; -1 for another class.
        """
        answers = observed.class_ids
        change = int((answers == true_classes).sum()) - int((answers == before).sum())
        self._share = ShareSoFar(self._share.hits + change, self._share.images)
        if self._judged.images is None:
            return
        places = {digest: at for at, digest in enumerate(self._judged.images.digests.tolist())}
        self._true = self._true.copy()
        for digest, place in zip(observed.digests.tolist(), true_classes.tolist(), strict=True):
            if digest in places:
                self._true[places[digest]] = place

    @property
    def newest(self) -> Observations | None:
        """The images of the window, the oldest first; None before the first."""
        return self._now.images

    def suggest(self, count: int) -> tuple[Suggestion, ...]:
        """The images of the window that are most worth a label, at most so many."""
        images = self._now.images
        return () if images is None else suggest(self._reference, self._teacher, images, count)

    def report(self, since: float | None = None) -> AccuracyReport:
        """Says what is known now.

        Args:
            since: seconds since 1970; images of the window before the first one of that time do not
                count. What comes after it does, by whatever clock.
        """
        right = self._teacher.reference_right
        hits = int(right.sum())
        images = self._now.images
        if images is not None and since is not None:
            reached = images.times >= since
            images = images[int(reached.argmax()) if reached.any() else len(images) :]
        count = 0 if images is None else len(images)
        unknown = AccuracyReport(
            images=count,
            estimate=None,
            low=0.0,
            high=1.0,
            reliable=False,
            why=f"{count} images are too few; {self._settings.least} are needed",
            reference=hits / len(right) if len(right) else 0.0,
            reference_interval=share_interval(hits, len(right)),
            labelled=self._labelled(),
        )
        if images is None or count < self._settings.least:
            return unknown
        seen = seen_in_log(images, self._reference.temperature)
        foretold = self._teacher.foretell(seen)
        low, high = _interval(foretold)
        tests = part_count(len(self._reference.classes))
        return replace(
            unknown,
            estimate=float(foretold.chances.mean()),
            low=low,
            high=high,
            reliable=self._is_reliable(foretold),
            why=self._why(foretold),
            by_confidence=foretold.by_confidence,
            by_threshold=foretold.by_threshold,
            by_class=by_class(self._reference.classes, self._teacher, seen, foretold, tests),
            by_slice=by_look(self._teacher, seen, foretold, tests),
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is remembered, as arrays that NumPy writes without pickling."""
        return {
            "share": np.array([self._share.hits, self._share.images], np.int64),
            _TRUE: self._true,
            **self._now.state(_NOW),
            **self._judged.state(_JUDGED),
        }

    @classmethod
    def from_state(
        cls,
        reference: Reference,
        settings: AccuracySettings | None,
        state: dict[str, NDArray[Any]],
    ) -> Self:
        """Goes on from a state as if nothing had been in between."""
        estimator = cls(reference, settings)
        most = estimator._settings.window
        estimator._now = Window.from_state(most, state, _NOW)
        estimator._judged = Window.from_state(most, state, _JUDGED)
        estimator._true = state[_TRUE]
        hits, images = state["share"].tolist()
        estimator._share = ShareSoFar(hits, images)
        return estimator

    def _labelled(self) -> Labelled | None:
        if not self._share.images:
            return None
        low, high = self._share.interval()
        foretold, error = None, None
        if self._judged.images is not None and len(self._judged) >= self._settings.least:
            seen = seen_in_log(self._judged.images, self._reference.temperature)
            foretold = float(self._teacher.foretell(seen).chances.mean())
            error = foretold - float((seen.class_ids == self._true).mean())
        return Labelled(
            images=self._share.images,
            value=self._share.hits / self._share.images,
            low=low,
            high=high,
            foretold=foretold,
            error=error,
        )

    def _is_reliable(self, foretold: Foretold) -> bool:
        sure = foretold.error < self._settings.doubt
        return sure and foretold.novelty < self._settings.novelty

    def _why(self, foretold: Foretold) -> str:
        if self._is_reliable(foretold):
            return "the images are like some that the model's answers are known to"
        return (
            "the images are unlike all that the model's answers are known to: the estimate may be "
            f"off by {2 * foretold.error:.2f}. Label some (graft labels --suggest)"
        )


def _interval(foretold: Foretold) -> tuple[float, float]:
    chances = foretold.chances
    spread = float((chances * (1 - chances)).mean()) / len(chances)
    reach = _Z * float(np.sqrt(spread + foretold.error**2))
    middle = float(chances.mean())
    return max(0.0, middle - reach), min(1.0, middle + reach)
