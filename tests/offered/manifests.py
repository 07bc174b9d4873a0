"""Manifests: rows that each ought to end as one thing, in any encoding."""

import json
import os
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from offered.offer import GOOD, ODD, OFTEN, PASSED, REFUSED, TEXT, USED, Offer

_LABEL = st.sampled_from(["cat", "dog", " cow ", "naïve", "日本", "1", "true", "two words"])
_CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\r\n",;\t\0\ufeff'))
_BAD_LABELS = [
    *(None, "", " ", float("nan"), "nan", "NULL", ["cat"], ["cat", "dog"], {}, {"a": 1}, 0.5),
    *(float("inf"), "['cat', 'dog']", "half\ud800", "zero\0", "two\nlines", "x" * 999),
]
_BAD_PATHS = [
    *(None, "", " ", ".", "..", "/", "/dev/zero", "/proc/kmsg", "/proc/self/mem", "folder", "pipe"),
    *("gone.png", "zero\0.png", "half\ud800.png", "x" * 5000, "C:\\x\\1.png", "folder/x"),
    *(7, True, ["1.png"], {"a": 1}, "secret.txt", "empty.png", "https://x/1.png"),
]
_BAD_SPLITS = ["sometimes", ["train"], 7, float("nan"), "train;test"]
_NUMBER = st.integers(0, 5)
_ROW = st.one_of(
    st.tuples(st.just("good"), _NUMBER, _LABEL),
    st.tuples(st.just("good"), st.sampled_from([0, 2, 4]), st.just("a")),
    st.tuples(st.just("label"), _NUMBER, st.sampled_from(_BAD_LABELS)),
    st.tuples(st.just("path"), st.sampled_from(_BAD_PATHS), _LABEL),
    st.tuples(st.just("split"), _NUMBER, st.sampled_from(_BAD_SPLITS)),
    st.tuples(st.just("raw"), _CELL, st.sampled_from(["", "{", "[" * 50_000, '{"path": 9', '"x"'])),
    st.tuples(st.just("short"), _NUMBER, _LABEL),
    st.tuples(st.just("blank"), st.sampled_from(["", " ", "  "]), st.none()),
)
_CODECS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]
MANIFESTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([".csv", ".tsv", ".jsonl", ".CSV"]),
        "sound": OFTEN,
        "rows": st.lists(_ROW, max_size=12),
        "codec": st.sampled_from(_CODECS),
        "named": st.booleans(),
        "delimiter": st.sampled_from(",;\t"),
        "end": st.sampled_from(["\n", "\r\n", "\r"]),
        "damage": st.none() | st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)),
        "name": ODD,
    }
)


def build(folder: Path, given: dict[str, Any]) -> Offer:
    """Lays a manifest and its images on the disk.

    Args:
        folder: empty.
        given: from `MANIFESTS`.
    """
    offer = Offer(folder / f"m{given['name']}{given['kind']}")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "secret.txt").write_bytes(TEXT)
    (folder / "empty.png").touch()
    rows = _Rows(offer, "" if given["kind"] == ".jsonl" else given["delimiter"])
    if given["sound"]:
        for number in range(12):
            rows.add("good", number, "ab"[number % 2])
    for row in given["rows"]:
        rows.add(*row)
    content = _encode(offer, given["end"].join([*rows.lines, ""]), given["codec"], given["named"])
    if given["damage"] is not None:
        at = int(given["damage"][0] * len(content))
        content = content[:at] + given["damage"][1] + content[at:]
        offer.is_known = False
    offer.path.write_bytes(content)
    offer.is_sound = given["sound"] and offer.is_known and not offer.is_broken
    return offer


class _Rows:
    """Lines of a manifest, and what ought to become of each."""

    def __init__(self, offer: Offer, delimiter: str) -> None:
        self._offer = offer
        self._delimiter = delimiter
        self._seen: set[tuple[int, str]] = set()
        self.lines = [delimiter.join(["path", "label", "split"])] if delimiter else []

    def add(self, what: str, first: Any, second: Any) -> None:
        """Adds a row of a kind of `_ROW`."""
        if what == "label" and self._delimiter and second in (0.5, float("inf")):
            what, second = "good", str(second)  # in a table that is a text
        if what in ("good", "label", "split", "short"):
            (self._offer.path.parent / f"{first}.png").write_bytes(GOOD[first])
        self._offer.items += getattr(self, f"_{what}")(first, second)

    def _good(self, number: int, label: str) -> list[frozenset[str]]:
        key = (number, label.strip())
        self._write(f"{number}.png", label)
        self._offer.classes.add(label)
        fates = PASSED if key in self._seen else USED
        self._seen.add(key)
        return [fates]

    def _label(self, number: int, label: Any) -> list[frozenset[str]]:
        self._write(f"{number}.png", label)
        return [REFUSED]

    def _path(self, path: Any, label: str) -> list[frozenset[str]]:
        self._write(path, label)
        is_late = path in ("/proc/kmsg", "/proc/self/mem", "secret.txt", "empty.png")
        return [REFUSED | PASSED if is_late else REFUSED]

    def _split(self, number: int, split: Any) -> list[frozenset[str]]:
        self._write(f"{number}.png", "cat", split)
        return [REFUSED]

    def _raw(self, start: str, end: str) -> list[frozenset[str]]:
        self.lines.append(start + end)
        is_blank = not (start + end).strip(" " if self._delimiter else None)
        return [] if is_blank else [REFUSED | PASSED]

    def _short(self, number: int, label: str) -> list[frozenset[str]]:
        if not self._delimiter:
            return self._good(number, label)  # JSON needs no split
        self.lines.append(f"{number}.png{self._delimiter}{label}")
        return [REFUSED]

    def _blank(self, text: str, _: None) -> list[frozenset[str]]:
        self.lines.append(text)
        return []

    def _write(self, *cells: Any) -> None:
        if self._delimiter:
            texts = ["" if cell is None else str(cell) for cell in (*cells, "")[:3]]
            quoted = ('"' + text.replace('"', '""') + '"' for text in texts)
            line = self._delimiter.join(quoted).replace("\ud800", "\0")
        else:
            row = dict(zip(("path", "label", "split"), cells, strict=False))
            line = json.dumps(row, ensure_ascii="\ud800" in "".join(map(str, cells)))
        self.lines.append(line)


def _encode(offer: Offer, text: str, codec: str, is_named: bool) -> bytes:
    try:
        content = text.encode(codec)
    except UnicodeEncodeError:
        return text.encode()
    has_mark = codec in ("utf-8", "utf-8-sig", "utf-16", "utf-32")
    if is_named and not has_mark:
        offer.settings["encoding"] = codec
    elif codec.startswith("utf-16-"):
        offer.is_broken = True
    elif not has_mark and not text.isascii():
        try:
            content.decode()
        except UnicodeDecodeError:
            offer.is_broken = True
        else:
            offer.is_known = False
    return content
