"""A sample of the images that all candidates are probed on."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.data import example_schema
from models.data.example_reader import ImageRecord, derived_features, read_records
from models.errors import BadDataError

_SPLITS = (example_schema.TRAIN, example_schema.VALIDATION)


@dataclass(frozen=True)
class Sample:
    """Some of the training and validation images; they stay on disk.

    Attributes:
        examples_uri: directory of an Examples artifact.
        drawn: label and digest of the file, with how often the two are in the sample.
    """

    examples_uri: str
    drawn: Mapping[tuple[str, str], int]

    def records(self) -> Iterator[ImageRecord]:
        """Reads the images, always in the same order."""
        left = Counter(self.drawn)
        for split in _SPLITS:
            for record in read_records(self.examples_uri, split):
                key = (record.label, record.sha256)
                if left[key] > 0:
                    left[key] -= 1
                    yield record


def draw_sample(examples_uri: str, images: int, seed: int) -> Sample:
    """Draws a stratified sample of the training and validation images.

    An image's place in the queue is a hash of its content, so that most of a sample stays when
    images are added, and with it the embeddings.

    Args:
        examples_uri: directory of an Examples artifact.
        images: most images; a class has at least one, so that many classes make it more.
        seed: of the hash.

    Raises:
        BadDataError: there are fewer than two classes.
    """
    by_class: dict[str, list[str]] = defaultdict(list)
    for split in _SPLITS:
        columns = derived_features(examples_uri, split)
        for label, sha256 in zip(
            columns[example_schema.LABEL], columns[example_schema.SHA256], strict=True
        ):
            by_class[label].append(sha256)
    if len(by_class) < 2:
        raise BadDataError(
            f"Backbones are chosen by telling classes apart, but the training and validation "
            f"images have {len(by_class)}. Add a class, or leave model.candidates empty."
        )
    shares = allocate([len(each) for each in by_class.values()], images)
    drawn = Counter(
        (label, sha256)
        for (label, digests), share in zip(by_class.items(), shares, strict=True)
        for sha256 in sorted(digests, key=lambda each: _place(seed, each))[:share]
    )
    return Sample(examples_uri, drawn)


def _place(seed: int, sha256: str) -> bytes:
    return hashlib.sha256(f"{seed} {sha256}".encode()).digest()


def allocate(counts: Sequence[int], total: int) -> list[int]:
    """Splits a sample over classes by their size, by largest remainders.

    Args:
        counts: images of each class, all positive.
        total: of the sample.

    Returns:
        Images of each class in the sample: at least one, at most `counts`.
    """
    everything = sum(counts)
    if total >= everything:
        return list(counts)
    exact = [total * count / everything for count in counts]
    shares = [max(1, int(share)) for share in exact]
    by_remainder = sorted(range(len(counts)), key=lambda place: int(exact[place]) - exact[place])
    for place in by_remainder[: max(0, total - sum(shares))]:
        shares[place] += shares[place] < counts[place]
    return shares
