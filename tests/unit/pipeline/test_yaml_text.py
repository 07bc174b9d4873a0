"""Hostile YAML: every kind is bad usage, in a few words."""

import os
from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.config_file import load_config, parse_assignment

_LAUGHS = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
_HOSTILE = {
    "nested lists": b"seed: " + b"[" * 100_000,
    "nested mappings": b"{a: " * 100_000,
    "nested blocks": b"".join(b" " * depth + b"a:\n" for depth in range(2_000)),
    "nested inside": b"data: " + b"[" * 900 + b"]" * 900,
    "aliases of aliases": _LAUGHS.encode(),
    "a list in itself": b"data: &a [*a]",
    "a mapping in itself": b"data: &a {path: *a}",
    "no such date": b"seed: 2026-99-99",
    "no such timestamp": b"seed: !!timestamp x",
    "a long number": b"seed: " + b"9" * 5_000,
    "a long hexadecimal number": b"seed: 0x" + b"f" * 9_000,
    "no integer": b"seed: !!int ''",
    "a key twice": b"seed: 1\nseed: 2",
    "a key twice inside": b"data: {path: a, path: b}",
    "a key that is a number": b"1: 2",
    "a key that is a number inside": b"data: {1: 2}",
    "a key that is a list": b"[1, 2]: 3",
    "a key that is nothing": b"~: 3",
    "a tab": b"data:\n\tpath: a",
    "a NUL": b"seed: 1\0",
    "UTF-16 without its mark": "seed: 1".encode("utf-16-le"),
    "UTF-16 cut short": "seed: 1".encode("utf-16")[:-1],
    "no UTF-8": b"workspace: \xff",
    "a class of Python's": b"seed: !!python/object/apply:os.system [ls]",
    "two documents": b"seed: 1\n---\nseed: 2",
    "text": b"nothing",
    "a megabyte": b"workspace: " + b"a" * 2_000_000,
    "no finite number": b"seed: .inf",
    "a surrogate": b'workspace: "\\uD800"',
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_hostile_file_is_bad_usage(name: str, tmp_path: Path) -> None:
    file = tmp_path / "graft.yaml"
    file.write_bytes(_HOSTILE[name])
    with pytest.raises(UsageError) as caught:
        load_config(file, {})
    assert len(str(caught.value)) < 4_000


@pytest.mark.parametrize("value", ["[" * 100_000, "2026-99-99", "9" * 5_000, "{a: 1, a: 2}"])
def test_a_hostile_value_is_bad_usage(value: str) -> None:
    with pytest.raises(UsageError, match="--set seed") as caught:
        parse_assignment(f"seed={value}")
    assert len(str(caught.value)) < 4_000


@pytest.mark.parametrize("text", ["a/photos #2", "#2", "'a' # b", "3 # few", "[a] #b"])
def test_a_hash_in_a_value_begins_no_remark(text: str) -> None:
    assert parse_assignment(f"data.path={text}") == ("data.path", text)


def test_a_value_that_is_no_yaml_is_told_how_to_write_it() -> None:
    with pytest.raises(UsageError, match=r"in quotes of its own: --set 'data\.ignore=\["):
        parse_assignment("data.ignore=*.png")
    assert parse_assignment("data.ignore=['*.png', \"#a\"]")[1] == ["*.png", "#a"]


def test_what_never_ends_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), tmp_path):
        with pytest.raises(UsageError, match="is not a file"):
            load_config(path, {})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_anchors_and_a_byte_order_mark_are_understood(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "graft.yaml"
    text = "seed: &n 7\r\ntuning: {<<: {parallel: 5}, trials: *n}\r\n"
    file.write_bytes(text.encode(encoding))
    config = load_config(file, {})
    assert (config.seed, config.tuning.trials, config.tuning.parallel) == (7, 7, 5)


def test_text_in_another_encoding_is_refused_with_the_line_and_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "graft.yaml"
    file.write_bytes("seed: 7\ndata: {path: Müller}\n".encode("cp1252"))
    with pytest.raises(UsageError, match=r"UTF-8 \(line 2 holds the byte 0xfc\); save it as UTF-8"):
        load_config(file, {})


@pytest.mark.parametrize("text", ["010", "-017", "00", "1:30", "1:30:00", "1:30.5"])
def test_a_number_that_is_another_one_to_yaml_is_refused(text: str) -> None:
    for value in (text, f"[1, {text}]"):
        with pytest.raises(UsageError, match=f"YAML takes {text} for .*'{text}' in quotes"):
            parse_assignment(f"tuning.budget={value}")
    assert parse_assignment(f"data.path='{text}'") == ("data.path", text)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("0x1f", 31), ("0.5", 0.5), ("-3", -3)])
def test_numbers_that_are_what_they_look_like_are_read(text: str, value: float) -> None:
    assert parse_assignment(f"seed={text}") == ("seed", value)
