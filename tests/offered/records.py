"""TFRecords: shards of records, each whole or damaged."""

import gzip
import os
import struct
import zlib
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import google_crc32c
import tensorflow as tf
from hypothesis import strategies as st

from offered.offer import CONTENTS, GOOD, ODD, OFTEN, PASSED, REFUSED, TEXT, Offer

_RECORD = st.tuples(
    st.sampled_from(["good", "good", "number", "no label", "no image", "two labels", "two images",
                     "float", "garbage", "sequence", "bytes", "nan"]),
    st.sampled_from([*CONTENTS]),
    st.sampled_from(["cat", "dog", "naïve", "1"]),
    ODD,
)  # fmt: skip
_DAMAGE = st.tuples(st.sampled_from(["cut", "flip", "empty", "garbage", "lost"]), st.floats(0, 1))
_SHARD = st.tuples(
    st.lists(_RECORD, max_size=5),
    st.sampled_from(["plain", "plain", "gzip", "zlib"]),
    st.none()
    | st.tuples(st.sampled_from(["cut", "flip", "empty", "garbage", "lost"]), st.floats(0, 1)),
)
_NAMES = [
    *("{at}.tfrecord", "x-{at:05d}-of-{of:05d}", "train.tfrecord-{at:05d}-of-{of:05d}"),
    *("{at}.tfrec", "{at}", "{at}.gz", "train/{at}.bin", "new\n{at}.TFRECORDS"),
]
RECORDS = st.fixed_dictionaries(
    {
        "sound": OFTEN,
        "shards": st.lists(_SHARD, min_size=1, max_size=3),
        "name": st.sampled_from(_NAMES),
        "beside": st.lists(ODD, max_size=2),
    }
)  # fmt: skip
_LABEL = object()
"""Stands for the label."""
_FEATURES: dict[str, dict[str, Any]] = {
    "good": {"label": _LABEL},
    "number": {"image/class/text": b"", "image/class/label": 7},
    "no label": {},
    "no image": {"image": [], "label": _LABEL},
    "two labels": {"label": [_LABEL, _LABEL]},
    "two images": {"image": [GOOD[0], GOOD[1]], "label": _LABEL},
    "float": {"label": 1.0},
    "bytes": {"label": b"caf\xe9"},
    "nan": {"label": b"NaN"},
}


def build(folder: Path, given: dict[str, Any]) -> Offer:
    """Lays a folder of TFRecord files on the disk.

    Args:
        folder: empty.
        given: from `RECORDS`.
    """
    offer = Offer(folder / "records")
    (offer.path / "train").mkdir(parents=True)
    shards = given["shards"]
    if given["sound"]:
        records = [("good", f"good {number}", "ab"[number % 2], "") for number in range(12)]
        shards = [(records, "plain", None), *shards]
    names = [given["name"].format(at=at, of=len(shards)) for at in range(len(shards))]
    # Names that differ in numbers alone from that of a file with records tell too.
    has_records = any(records and damage is None for records, _, damage in shards)
    is_telling = "tfrec" in given["name"].lower() or has_records
    is_family = "-of-" in given["name"] and is_telling and not all(map(_is_lost, shards))
    for name, (records, compression, damage) in zip(names, shards, strict=True):
        if damage is not None and damage[0] == "lost":
            offer.damaged += is_family
            continue
        content = _shard(offer, records, compression, damage, is_telling)
        (offer.path / name).write_bytes(content)
    offer.damaged -= max(0, sum(_is_lost(shard) for shard in shards) - 1) * is_family
    for number, odd in enumerate(given["beside"]):
        (offer.path / f"{number}note{odd}").write_bytes(TEXT)
        offer.items.append(PASSED)
    offer.is_sound = given["sound"]
    return offer


def _is_lost(shard: tuple[Any, ...]) -> bool:
    return shard[2] is not None and shard[2][0] == "lost"


def _shard(
    offer: Offer,
    records: list[tuple[str, str, str, str]],
    compression: str,
    damage: tuple[str, float] | None,
    is_telling: bool,
) -> bytes:
    frames, fates = [], []
    for record in records:
        payload, fate = _record(offer, *record)
        frames.append(_frame(payload))
        fates.append(fate)
    content = _COMPRESSIONS[compression](b"".join(frames))
    if damage is not None:
        content, read, is_told = _damaged(content, frames, *damage)
        offer.is_known &= is_telling and compression == "plain"
        offer.damaged += is_told
        offer.items += fates[:read]
    elif records:
        offer.items += fates
    elif compression == "plain":
        offer.is_known &= is_telling
        offer.damaged += 1
    else:
        offer.items.append(PASSED)
    return content


def _damaged(
    content: bytes, frames: list[bytes], how: str, where: float
) -> tuple[bytes, int, bool]:
    """Damages a plain file.

    Returns:
        The file, how many of its records can be read, and whether it shows that there were more.
    """
    at = int(where * len(content))
    borders = [0, *accumulate(map(len, frames))]
    whole = sum(border <= at for border in borders) - 1
    if how == "flip" and at < len(content):
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :], whole, True
    if how == "garbage":
        return TEXT + content, 0, True
    if how == "cut" and at:
        return content[:at], whole, at not in borders
    return b"", 0, True


def _record(
    offer: Offer, kind: str, content: str, label: str, name: str
) -> tuple[bytes, frozenset[str]]:
    image, fates = CONTENTS[content]
    if kind == "garbage":
        return TEXT, REFUSED
    if kind == "sequence":
        sequence = tf.train.SequenceExample()
        sequence.feature_lists.feature_list["image"].feature.add().bytes_list.value.append(image)
        return sequence.SerializeToString(), REFUSED
    example = tf.train.Example()
    values = {"image": image, "name": os.fsencode(name), **_FEATURES[kind]}
    for key, value in values.items():
        feature = example.features.feature[key]
        for each in value if isinstance(value, list) else [value]:
            one = label.encode() if each is _LABEL else each
            lists = {bytes: feature.bytes_list, int: feature.int64_list, float: feature.float_list}
            lists[type(one)].value.append(one)
    if kind in ("good", "number"):
        offer.classes.add(label if kind == "good" else "7")
        return example.SerializeToString(), fates
    return example.SerializeToString(), REFUSED


def _frame(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return length + _checksum(length) + payload + _checksum(payload)


def _checksum(content: bytes) -> bytes:
    plain = google_crc32c.value(content)
    return struct.pack("<I", ((plain >> 15 | plain << 17) + 0xA282EAD8) & 0xFFFFFFFF)


_COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "zlib": zlib.compress,
}
