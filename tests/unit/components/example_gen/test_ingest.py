"""Everything that is offered is accounted for once: used, refused, passed over or unknown."""

import io
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ingest_in_process import ingest_in_process
from PIL import Image

from components.example_gen.ingest import Ingested
from components.example_gen.quarantine import account, as_lines
from components.example_gen.sources.entries import LeftOut
from components.example_gen.sources.refusals import (
    RefusedSourceError,
    describe_all,
    describe_refusals,
)
from models.data import example_schema
from models.data.example_reader import read_records
from models.errors import BadDataError


def png(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def fates(done: Ingested) -> dict[str, int]:
    return dict(Counter(one.fate for one in done.left_out))


def test_rows_that_share_a_name_are_counted_each(tmp_path):
    rows: list[dict[str, Any]] = []
    for number in range(8):
        (tmp_path / f"{number}.png").write_bytes(png(number))
        rows.append({"path": f"{number}.png", "label": "ab"[number % 2]})
    (tmp_path / "bad.png").write_bytes(b"")
    rows += [rows[0], rows[0], {"path": "1.png", "label": ["b"]}, {"path": "1.png", "label": "a"}]
    rows += [{"path": "bad.png", "label": "a"}, {"path": "bad.png", "label": "b"}]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = ingest_in_process(tmp_path / "list.jsonl", tmp_path / "out")
    assert done.classes == {"a": 5, "b": 4}
    assert fates(done) == {"passed_over": 2, "refused": 3}
    names = [one.name for one in done.left_out]
    assert len(set(names)) == len(names)
    written = [r for s in example_schema.SPLITS for r in read_records(str(tmp_path / "out"), s)]
    assert len({record.name for record in written}) == len(written) == 9


def test_records_under_names_of_others_are_counted_each(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        for number, name in enumerate([b"a.tfrecord#9", b"same", b"same", b"same@2", b"same", b""]):
            feature = tf.train.Example().features.feature
            example = tf.train.Example()
            feature = example.features.feature
            feature["image"].bytes_list.value.append(png(number))
            feature["label"].int64_list.value.append(number % 2)
            feature["name"].bytes_list.value.append(name)
            writer.write(example.SerializeToString())
        for _ in range(4):
            writer.write(tf.train.Example().SerializeToString())
    done = ingest_in_process(tmp_path / "a.tfrecord", tmp_path / "out")
    assert done.counts.total() == 6
    assert fates(done) == {"refused": 4}
    assert len({one.name for one in done.left_out}) == 4


def test_a_second_pass_counts_everything_once(tmp_path):
    for number in range(40):
        file = tmp_path / "data" / "abc"[number % 3] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(number)[: 60 if number % 3 == 2 and number > 8 else None])
    done = ingest_in_process(tmp_path / "data", tmp_path / "out")
    assert done.classes == {"a": 14, "b": 13, "c": 3}
    assert fates(done) == {"refused": 10}
    for split in example_schema.SPLITS:
        records = list(read_records(str(tmp_path / "out"), split))
        assert len(records) == done.splits[split]
        assert "c" in {record.label for record in records}


def test_says_why_too_little_is_left(tmp_path):
    for name, content in (("a/1.png", png(1)), ("b/1.png", b""), ("b/2.png", b"text")):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(content)
    rows = [{"path": "data/a/1.png", "label": "a"}, {"path": "data/b/1.png", "label": ["b"]}]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(BadDataError, match=r"All 1 images have the label 'a'.*1 several_labels"):
        ingest_in_process(tmp_path / "list.jsonl", tmp_path / "out")
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        writer.write(tf.train.Example().SerializeToString())
    with pytest.raises(BadDataError, match=r"no image that can be read. Refused: 1 no_image"):
        ingest_in_process(tmp_path / "a.tfrecord", tmp_path / "out")


def test_a_source_that_is_refused_as_a_whole_is_accounted_for(tmp_path):
    contents = {"a/1.png": png(1), "a/2.png": b"", "a/n.txt": b"", "b/1.png": b"text"}
    for name, content in contents.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(content)
    with pytest.raises(RefusedSourceError) as raised:
        ingest_in_process(tmp_path / "data", tmp_path / "out")
    left_out = sorted(raised.value.left_out)
    assert [(one.name, one.code, one.fate) for one in left_out] == [
        ("a/1.png", "source_refused", "refused"),
        ("a/2.png", "source_refused", "refused"),
        ("a/n.txt", "sidecar", "passed_over"),
        ("b/1.png", "source_refused", "refused"),
    ]
    assert len(as_lines(raised.value.left_out).splitlines()) == len(contents)
    assert account(0, left_out) == {
        "images": 0, "offered": 4, "quarantined": 3, "passed_over": 1, "unknown": 0
    }  # fmt: skip


def test_the_words_for_what_is_left_out():
    refused = [LeftOut(f"{n}.png", "empty", "it has no bytes") for n in range(4)]
    passed = [LeftOut("notes.txt", "sidecar", "it is text", "passed_over")]
    unknown = [LeftOut("a.tfrecord", "damaged_container", "it ends early", "unknown")]
    assert describe_refusals([*refused, *passed, *unknown]) == (
        "Refused: 4 empty (0.png: it has no bytes; 1.png: it has no bytes; 2.png: it has no bytes;"
        " …). Unknown: 1 damaged_container (a.tfrecord: it ends early)."
    )
    assert describe_refusals(passed) == ""
    assert describe_all(passed) == ("Passed over: 1 sidecar (notes.txt: it is text).")
    assert describe_all(refused).startswith("Refused: 4 empty")
    assert describe_all([]) == ""
