import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from served_digits import served_digits

from models.errors import BadDataError
from monitoring.accuracy.label_book import NONE_BEFORE, LabelBook
from monitoring.accuracy.label_files import read_label_file

ONE, OTHER = "a" * 64, "b" * 64


def test_three_kinds_of_files_say_the_same(tmp_path):
    rows = [
        {"digest": ONE.upper(), "request_id": "", "row": "", "label": "cat"},
        {"digest": "", "request_id": "r;1", "row": "2", "label": "dog, wet"},
        {"digest": OTHER, "request_id": "", "row": "", "label": ""},
    ]
    (tmp_path / "a.csv").write_text(
        "\ufeffDigest,request_id,row,label,more\r\n"
        + "".join(f'{r["digest"]},{r["request_id"]},{r["row"]},"{r["label"]}",x\r\n' for r in rows)
    )
    (tmp_path / "a.jsonl").write_text("\n\n".join(json.dumps(row) for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        found = read_label_file(tmp_path / name)
        assert found.labels == {(ONE, -1): "cat", ("r;1", 2): "dog, wet"}, name
        assert found.left_out == 0


def test_a_bad_row_costs_itself_alone(tmp_path):
    lines = [
        '{"digest": "zz", "label": "cat"}',
        '{"label": "cat"}',
        '{"digest": 7, "label": "cat"}',
        "[1, 2]",
        "[" * 100_000,
        '{"request_id": "r", "row": -1, "label": "cat"}',
        '{"request_id": "r", "row": 1e300, "label": "cat"}',
        json.dumps({"digest": ONE, "label": "x" * 5_000}),
        json.dumps({"digest": OTHER, "label": "<script>\0"}),
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    found = read_label_file(tmp_path / "a.jsonl")
    assert found.labels == {(OTHER, -1): "<script>\0"}
    assert found.left_out == 8
    assert found.problems[0] == "row 1: its digest is not 64 hex digits"
    assert len(found.problems) == 5


def test_labels_of_numbers_and_missing_ones_are_read_as_tables_write_them(tmp_path):
    keys = {"request_id": [7, 8, 9], "row": [0.0, 1.0, None]}
    wanted = {("7", 0): "3", ("8", 1): "4"}
    for column in ([3.0, 4.0, math.nan], [b"3", b"4", None], ["3.0", "4.0", "NA"], [3, 4, None]):
        pq.write_table(pa.table({"Label ": column, **keys}), tmp_path / "a.parquet")
        assert read_label_file(tmp_path / "a.parquet", ["3", "4"]).labels == wanted, column
    rows = [{"request_id": 7, "label": 3}, {"request_id": 8, "row": 1.0, "label": 4.0}]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    assert read_label_file(tmp_path / "a.jsonl", ["3", "4"]).labels == wanted
    text = "\nrequest_id;row;label\n7;;3.0\n8;1.0; 4\n9;0.0;nan\n"
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "a.csv").write_bytes(text.encode(encoding))
        assert read_label_file(tmp_path / "a.csv", ["3", "4"]).labels == wanted


def test_a_name_is_a_class_however_it_is_written_and_even_where_it_looks_like_none(tmp_path):
    text = f"digest,label\n{ONE}, cafe\u0301 \n{OTHER},NA\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    found = read_label_file(tmp_path / "a.csv", ["café", "NA", "3"])
    assert found.labels == {(ONE, -1): "café", (OTHER, -1): "NA"}
    (tmp_path / "a.csv").write_text(f"digest,label\n{ONE},3.0\n")
    assert read_label_file(tmp_path / "a.csv", ["3.0", "3"]).labels == {(ONE, -1): "3.0"}


def test_blanks_around_an_id_and_bars_between_cells_change_nothing(tmp_path):
    text = f"request_id| row |digest|label\n r1 | 2 || cat \n| | {ONE} |dog\n r2 | ||cat\n"
    (tmp_path / "a.csv").write_text(text)
    found = read_label_file(tmp_path / "a.csv")
    assert found.labels == {("r1", 2): "cat", (ONE, -1): "dog", ("r2", 0): "cat"}
    assert found.left_out == 0


def test_images_whose_rows_say_different_labels_are_named(tmp_path):
    rows = [f"{ONE},cat", f"{OTHER},cat", f"{ONE},dog", f"{OTHER},cat", f"{ONE},cat"]
    (tmp_path / "a.csv").write_text("\n".join(["digest,label", *rows]))
    found = read_label_file(tmp_path / "a.csv")
    assert found.labels == {(ONE, -1): "cat", (OTHER, -1): "cat"}
    assert found.contradicted == {(ONE, -1)}


def test_a_file_without_a_header_is_told_what_its_first_row_is_for(tmp_path):
    (tmp_path / "a.csv").write_text(f"{ONE},cat\n{OTHER},dog\n")
    with pytest.raises(BadDataError, match=r"first row of .* has to name its columns"):
        read_label_file(tmp_path / "a.csv")


def test_a_file_of_which_nothing_can_be_used_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("digest,label\nzz,cat\nyy,dog\n")
    with pytest.raises(BadDataError, match=r"None of the 2 labels .*: row 2: its digest is not 64"):
        read_label_file(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"path,label\nx,cat\n", "expected the columns"),
        ("a.csv", b"digest,label,label\n", "each once"),
        ("a.csv", b"digest,label\n\xff\xfe,cat\n", "no text in UTF-8"),
        ("a.parquet", b"PAR1 not really PAR1", "no whole Parquet"),
        ("a.txt", b"", r"ends in \.csv.*Save it as"),
    ],
)
def test_a_file_that_is_none_is_refused_with_words(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadDataError, match=words):
        read_label_file(tmp_path / name)


def test_a_folder_or_nothing_is_refused(tmp_path):
    (tmp_path / "a.csv").mkdir()
    for name in ("a.csv", "b.csv"):
        with pytest.raises(BadDataError, match=r"expected a file|cannot be read"):
            read_label_file(tmp_path / name)


def test_each_image_is_counted_once_by_whatever_name_also_after_a_restart():
    served = served_digits()
    observed = served.observe(served.pictures[:20])
    digests = observed.digests.tolist()
    book = LabelBook(served.reference.classes)
    book.add({(digests[3], -1): "4", ("r3", 0): "5", ("r7", 0): "seven", ("r9", 1): "1"})
    found = book.take(observed[:10])
    assert found.answers.digests.tolist() == [digests[3], digests[7]]
    assert found.classes.tolist() == [4, -1]
    assert book.unknown == {"seven": 1}
    again = LabelBook.from_state(served.reference.classes, book.state())
    again.add({(digests[3], -1): "4", ("r3", 0): "4", (digests[12], -1): "0"})
    found = again.take(observed)
    assert found.answers.digests.tolist() == [digests[12]]
    assert found.classes.tolist() == [0]
    assert [*again.waiting] == [("r9", 1)]
    np.testing.assert_array_equal(
        LabelBook.from_state(served.reference.classes, again.state()).state()["text"],
        again.state()["text"],
    )


def test_the_newest_label_of_an_image_counts_by_whatever_name():
    served = served_digits()
    observed = served.observe(served.pictures[:6])
    digests = observed.digests.tolist()
    files = [
        {(digests[0], -1): "1", ("r1", 0): "1", ("r2", 0): "1", (digests[3], -1): "1"},
        {("r0", 0): "2", (digests[1], -1): "2", ("r2", 0): "no class", (digests[3], -1): "2"},
    ]
    one_by_one, at_once = (LabelBook(served.reference.classes) for _ in range(2))
    for labels in files:
        at_once.add(labels)
        one_by_one.add(labels)
        found = one_by_one.take(observed, chosen={digests[3]})
        one_by_one = LabelBook.from_state(served.reference.classes, one_by_one.state())
    assert found.answers.digests.tolist() == digests[:3]
    assert (found.before.tolist(), found.classes.tolist()) == ([1, 1, 1], [2, 2, -1])
    found = at_once.take(observed, chosen={digests[3]})
    assert found.classes.tolist() == [2, 2, -1]
    assert set(found.before.tolist()) == {NONE_BEFORE}
