"""How right is `graft label --zero-shot`, which knows no image of the classes, and how sure?

    ./dev bench strategies/zero_shot --data ../shared/data

On at most so many images of each set. A set is sorted by the names of its folders and, where these
say little, once more in other words.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import SourceFile
from components.example_gen.sources.listing import list_source, resolve
from models.backbones import build_backbone
from models.backbones.efficientnet_lite import imagenet_head
from models.data.image_decoding import ImageSpec
from models.embedding.forward import Embedder
from models.zero_shot.class_names import parse_class
from models.zero_shot.conse import confidences, shares
from models.zero_shot.find_wordnet import find_wordnet
from models.zero_shot.meanings import ImageNet
from models.zero_shot.wordnet import WordNet

_CHUNK = 256
_LEAST = (0.2, 0.5)
_WORDS = {
    "clothing": ("outwear=coat", "longsleeve=sweatshirt"),
    "scene15": (
        *("Bedroom=four-poster", "Industrial=factory", "Kitchen=stove+microwave+refrigerator"),
        *("LivingRoom=couch", "Office=desk", "Street=street sign+traffic light"),
    ),
}
"""What a user would say of the classes that are not understood."""


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the sets")
    parser.add_argument(
        "--sets", nargs="+", default=["clothing", "cifar10", "scene15", "signdigits"]
    )
    parser.add_argument("--images", type=int, default=1000, help="of each set, at most")
    parser.add_argument("--backbone", default="EfficientNetLite0")
    parser.add_argument("--wordnet", type=Path, help="folder of WordNet's database")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/zero_shot"))
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    imagenet = ImageNet(WordNet(find_wordnet(arguments.wordnet)))
    columns = ["set", "classes known", "accuracy", "of known classes"]
    columns += [f"confidence ≥ {least}: images, right" for least in _LEAST]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for name in arguments.sets:
        files = list_source(resolve(str(arguments.data / name))[-1].path, IngestSettings()).files
        order = np.random.default_rng(0).permutation(len(files))[: arguments.images]
        chosen = [files[number] for number in order]
        logits = _logits(
            chosen,
            arguments.backbone,
            arguments.cache / f"{arguments.backbone}-{name}-{len(chosen)}.npy",
        )
        labels = np.array([file.label for file in chosen])
        for words in filter(None, [("",), _WORDS.get(name)]):
            print(_row(name, words, labels, logits, imagenet), flush=True)


def _logits(files: Sequence[SourceFile], backbone: str, kept: Path) -> NDArray[np.float32]:
    """Of ImageNet's classes, float32 [n, 1000]; computed once."""
    if not kept.exists():
        built = build_backbone(backbone, "imagenet")
        embedder = Embedder(built, ImageSpec(built.image_size))
        kernel, bias = imagenet_head(backbone)
        images = [Path(file.path).read_bytes() for file in files]
        chunks = [images[at : at + _CHUNK] for at in range(0, len(images), _CHUNK)]
        np.save(kept, np.concatenate([embedder.embed(chunk) @ kernel + bias for chunk in chunks]))
    return np.asarray(np.load(kept))


def _row(
    name: str,
    words: Sequence[str],
    labels: NDArray[np.str_],
    logits: NDArray[np.float32],
    imagenet: ImageNet,
) -> str:
    """A line of the table."""
    told = {each.partition("=")[0]: each for each in words}
    classes = np.unique(labels)
    meanings = [imagenet.meaning(parse_class(told.get(str(each), str(each)))) for each in classes]
    known = [each for each in meanings if each.similarities is not None]
    set_name = name if words == ("",) else f"{name}, {', '.join(words)}"
    cells = [set_name, f"{len(known)} of {len(classes)}"]
    if not known:
        return f"| {' | '.join([*cells, *['none'] * (len(_LEAST) + 2)])} |"
    rows = np.stack([each.similarities for each in known if each.similarities is not None])
    sure = confidences(logits, shares(rows))
    right = np.array([each.name for each in known])[sure.argmax(axis=1)] == labels
    of_known = np.isin(labels, [each.name for each in known])
    cells += [f"{right.mean():.3f}", f"{right[of_known].mean():.3f}"]
    for least in _LEAST:
        taken = sure.max(axis=1) >= least
        cells.append(f"{taken.mean():.0%}, {right[taken].mean():.0%}" if taken.any() else "0%")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
