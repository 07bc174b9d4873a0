"""What a training tells of a whole epoch, from what it tells of each batch."""

from collections.abc import Mapping


class EpochMeans:
    """Means over the images of an epoch.

    Keras' `train_on_batch` tells of its own batch alone, so that the last one, of a few images,
    would stand for all.

    >>> means = EpochMeans()
    >>> means.add({"loss": 1.0}, 3)
    >>> means.add({"loss": 5.0}, 1)
    >>> means.logs()
    {'loss': 2.0}
    """

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._images = 0

    def add(self, logs: Mapping[str, float], images: int) -> None:
        """Counts a batch.

        Args:
            logs: figures of the batch, each a mean over its images.
            images: in it.
        """
        self._images += images
        for name, value in logs.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value) * images

    def logs(self) -> dict[str, float]:
        """Each figure's mean; empty without a batch."""
        return {name: total / self._images for name, total in self._sums.items()}
