"""Folders: two classes that are well, and others with anything in them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from offered.offer import CONTENTS, GOOD, ODD, OFTEN, PASSED, REFUSED, TEXT, USED, Offer

IGNORED = "*.skip"
"""Pattern of names that the tests have passed over."""


def _put(
    offer: Offer, where: Path, index: int, kind: str, odd: str, suffix: str, below: str
) -> frozenset[str]:
    where = where / below
    where.mkdir(parents=True, exist_ok=True)
    file = where / f"{index}{odd}{suffix}"
    if kind in CONTENTS:
        content, fates = CONTENTS[kind]
        file.write_bytes(content)
        return fates
    return _SPECIAL_FILES[kind](offer, file)


def _text(suffix: str) -> Callable[[Offer, Path], frozenset[str]]:
    def write(offer: Offer, file: Path) -> frozenset[str]:
        file.with_name(file.name + suffix).write_bytes(TEXT)
        return PASSED

    return write


def _hidden(offer: Offer, file: Path) -> frozenset[str]:
    file.with_name("." + file.name).write_bytes(GOOD[0])
    return PASSED


def _hidden_folder(offer: Offer, file: Path) -> frozenset[str]:
    file.with_name("." + file.name).mkdir()
    (file.with_name("." + file.name) / "1.png").write_bytes(GOOD[0])
    return PASSED


def _pipe(offer: Offer, file: Path) -> frozenset[str]:
    os.mkfifo(file)
    return REFUSED


def _inside(offer: Offer, file: Path) -> frozenset[str]:
    target = file.with_name("." + file.name)
    target.write_bytes(GOOD[6])
    file.symlink_to(target)
    offer.items.append(PASSED)
    return USED


def _loop(offer: Offer, file: Path) -> frozenset[str]:
    file.symlink_to(file)
    return REFUSED


def _dangling(offer: Offer, file: Path) -> frozenset[str]:
    file.symlink_to(offer.path / "nowhere")
    return REFUSED


def _outside(offer: Offer, file: Path) -> frozenset[str]:
    file.symlink_to(offer.path.parent / "outside/1.png")
    return REFUSED


def _to_the_root(offer: Offer, file: Path) -> frozenset[str]:
    file.symlink_to(offer.path)
    return REFUSED


_SPECIAL_FILES: dict[str, Callable[[Offer, Path], frozenset[str]]] = {
    "pipe": _pipe,
    "loop": _loop,
    "dangling": _dangling,
    "outside": _outside,
    "to the root": _to_the_root,
    "inside": _inside,
    "hidden": _hidden,
    "hidden folder": _hidden_folder,
    "sidecar": _text(".json"),
    "unknown text": _text(".xyz"),
    "ignored": _text(".skip"),
}
_SUFFIX = st.sampled_from([".jpg", ".png", ".JPEG", ".webp"])
_KINDS = [*_SPECIAL_FILES, *(kind for kind in CONTENTS if not kind.startswith("good"))]
_FILE = st.tuples(st.sampled_from(_KINDS), ODD, _SUFFIX, st.sampled_from(["", "x", "x/y"]))
FOLDERS = st.fixed_dictionaries(
    {
        "sound": OFTEN,
        "classes": st.lists(st.tuples(ODD, st.lists(_FILE, max_size=6)), max_size=4),
        "loose": st.lists(_FILE, max_size=2),
        "root": ODD,
    }
)


def build(folder: Path, given: dict[str, Any]) -> Offer:
    """Lays a folder of class folders on the disk.

    Args:
        folder: empty.
        given: from `FOLDERS`.
    """
    offer = Offer(folder / f"r{given['root']}")
    offer.path.mkdir()
    (folder / "outside").mkdir()
    (folder / "outside/1.png").write_bytes(GOOD[7])
    if given["sound"]:
        for number, content in enumerate(GOOD[:12]):
            file = offer.path / "ab"[number % 2] / f"{number}.png"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
            offer.items.append(USED)
        offer.classes |= {"a", "b"}
    for number, (name, files) in enumerate(given["classes"]):
        title = f"k{number}{name}"
        (offer.path / title).mkdir()
        offer.classes.add(title)
        for index, one in enumerate(files):
            offer.items.append(_put(offer, offer.path / title, index, *one))
    for index, one in enumerate(given["loose"]):
        kind, odd, suffix = one[:3]
        fates = _put(offer, offer.path, index, kind, odd, suffix, "")
        offer.items.append(fates if fates == PASSED else REFUSED | PASSED)
    return offer
