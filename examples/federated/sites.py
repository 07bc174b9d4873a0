"""Deals a folder of labelled images out to three sites, and embeds them with Graft's backbone.

    ./dev python examples/federated/sites.py --data ../shared/data/signdigits --output /tmp/sites

Each draw becomes two folders: in `even-0` all sites have the same kind of images, in `uneven-0`
each has many of some classes and few or none of others. A folder holds a file for each site and
one with test images that no site has.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.backbones import build_backbone
from models.data.image_decoding import ImageSpec
from models.embedding.forward import Embedder

SITES = 3
_AT_ONCE = 1000
"""Images that are read and embedded together."""
_CONCENTRATION = 0.3


def main() -> None:
    """Embeds once, and deals out as often as asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder with one for each class")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    parser.add_argument("--images", type=int, default=300, help="of all sites together")
    parser.add_argument("--test", type=int, default=600, help="test images")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    asked = parser.parse_args()
    names = sorted(path.name for path in asked.data.iterdir() if path.is_dir())
    files = [file for name in names for file in sorted((asked.data / name).iterdir())]
    if len(files) < asked.images + asked.test:
        parser.error(
            f"{asked.data} has {len(files)} images in folders of classes; expected at least "
            f"{asked.images + asked.test}. Ask for fewer by --images or --test."
        )
    labels = np.array([names.index(file.parent.name) for file in files])
    backbone = build_backbone("EfficientNetLite0", "imagenet", asked.size)
    embedder = Embedder(backbone, ImageSpec(asked.size))
    blocks = (files[at : at + _AT_ONCE] for at in range(0, len(files), _AT_ONCE))
    features = np.concatenate(
        [embedder.embed([file.read_bytes() for file in block]) for block in blocks]
    )
    for draw in range(asked.draws):
        random = np.random.default_rng(draw)
        order = random.permutation(len(files))
        test, dealt = order[: asked.test], order[asked.test : asked.test + asked.images]
        for kind, shards in (
            ("even", np.array_split(dealt, SITES)),
            ("uneven", uneven(dealt, labels, random)),
        ):
            folder = asked.output / f"{kind}-{draw}"
            folder.mkdir(parents=True, exist_ok=True)
            rows = {f"site{number}": shard for number, shard in enumerate(shards)} | {"test": test}
            for name, chosen in rows.items():
                np.savez(
                    folder / name, features=features[chosen], labels=labels[chosen], names=names
                )
            counts = [np.bincount(labels[shard], minlength=len(names)).tolist() for shard in shards]
            print(f"{folder}: images of each class, by site:", *counts)


def uneven(
    rows: np.ndarray, labels: np.ndarray, random: np.random.Generator
) -> Sequence[np.ndarray]:
    """Gives each class to the sites by shares from a Dirichlet distribution.

    T.-M. H. Hsu et al., "Measuring the Effects of Non-Identical Data Distribution for Federated
    Visual Classification", 2019.

    Args:
        rows: of the images to be dealt out.
        labels: of all images, by row.
        random: where shares come from.

    Returns:
        The rows of each site; together, each of `rows` once.
    """
    shards: list[list[np.ndarray]] = [[] for _ in range(SITES)]
    for label in np.unique(labels[rows]):
        own = rows[labels[rows] == label]
        shares = random.dirichlet(np.full(SITES, _CONCENTRATION))
        borders = np.round(np.cumsum(shares)[:-1] * len(own)).astype(int)
        for shard, part in zip(shards, np.split(own, borders), strict=True):
            shard.append(part)
    return [np.concatenate(shard) for shard in shards]


if __name__ == "__main__":
    main()
