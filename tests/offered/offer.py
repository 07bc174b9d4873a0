"""What every kind of source is made of."""

import io
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

SECRET = "SECRET-9f3c"
"""Stands in files that are no image: no message may quote it."""

USED = frozenset({"used"})
REFUSED = frozenset({"refused"})
PASSED = frozenset({"passed_over"})
USED_OR_REFUSED = USED | REFUSED
ANY = USED | REFUSED | PASSED


@dataclass(slots=True)
class Offer:
    """What a source was made of.

    Attributes:
        path: of the source.
        items: for each thing that was offered, the fates that are right for it.
        classes: names that were meant as classes.
        damaged: containers of which something is unknown.
        is_broken: whether nothing but a refusal of the whole is right.
        is_sound: whether a refusal of the whole would be wrong.
        is_known: whether the above is all there is to say; not where damage may mean anything.
        settings: of ingest, that belong to the source.
    """

    path: Path
    items: list[frozenset[str]] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    damaged: int = 0
    is_broken: bool = False
    is_sound: bool = False
    is_known: bool = True
    settings: dict[str, str] = field(default_factory=dict)


def _encoded(mode: str, kind: str, seed: int, side: int = 8, **options: object) -> bytes:
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, *channels), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels, mode).save(buffer, kind, **options)
    return buffer.getvalue()


def _deep(kind: str, dtype: type[np.generic]) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 60_000, (8, 8)).astype(dtype)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


TEXT = f"<html>{SECRET}</html>".encode()
_PHOTO = _encoded("RGB", "JPEG", 1)
GOOD = [_encoded("RGB", "PNG", seed) for seed in range(40)]
"""Images that nobody refuses, each different."""
CONTENTS: dict[str, tuple[bytes, frozenset[str]]] = {
    "rgb png": (GOOD[0], USED),
    "grey png": (_encoded("L", "PNG", 2), USED),
    "alpha png": (_encoded("RGBA", "PNG", 3), USED),
    "jpeg": (_PHOTO, USED),
    "progressive jpeg": (_encoded("RGB", "JPEG", 4, progressive=True), USED),
    "webp": (_encoded("RGB", "WEBP", 5), USED),
    "bmp": (_encoded("RGB", "BMP", 6), USED),
    "gif": (_encoded("L", "GIF", 7), USED),
    "16-bit png": (_deep("PNG", np.uint16), USED_OR_REFUSED),
    "float tiff": (_deep("TIFF", np.float32), USED_OR_REFUSED),
    "empty": (b"", REFUSED),
    "text": (TEXT, REFUSED),
    "archive": (b"PK\x03\x04" + TEXT, REFUSED),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'>" + TEXT, REFUSED),
    "tiny": (_encoded("RGB", "PNG", 8, side=2), REFUSED),
    "truncated png": (GOOD[1][:-40], REFUSED),
    "truncated jpeg": (_encoded("RGB", "JPEG", 9, side=64)[:700], REFUSED),
    "head": (GOOD[2][:20], REFUSED),
    "flipped png": (GOOD[3][:60] + b"\xff" + GOOD[3][61:], USED_OR_REFUSED),
    "text behind a head": (GOOD[4][:8] + TEXT, REFUSED),
    "tail": (GOOD[5] + TEXT, USED_OR_REFUSED),
    **{f"good {number}": (content, USED) for number, content in enumerate(GOOD[:12])},
}

_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="/\0")
ODD = st.sampled_from(
    ["", "a b", "new\nline", "tab\t", "quo\"te'", "[x]*?{}", "%d", "\u202ertl", "e\u0301", "é",
     "日本", "~", "#1", "a@2", "x" * 150, os.fsdecode(b"\xff\xfe"), "back\\slash", "$(x)", "{SPAN}",
     "\u2028", "\x7f", "\x1b[31m", " ", "😀", "<b>", "&amp;", "..", "-", "=1+1"]
) | st.text(_LETTERS, max_size=12)  # fmt: skip
"""Parts of names that a file system allows."""
OFTEN = st.sampled_from([True, True, True, False])
"""Whether a source holds enough besides to be ingested."""
