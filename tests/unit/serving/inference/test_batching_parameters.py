"""The file of `--batching_parameters_file`."""

from pathlib import Path

import pytest

from models.errors import UsageError
from serving.inference.batching_parameters import BatchingParameters, read_batching_parameters


def _read(tmp_path: Path, text: str) -> BatchingParameters:
    path = tmp_path / "batching.config"
    path.write_text(text)
    return read_batching_parameters(path)


def test_an_official_file_is_read(tmp_path: Path) -> None:
    read = _read(
        tmp_path,
        """
        max_batch_size { value: 16 }  # rows
        batch_timeout_micros { value: 2000 }
        max_enqueued_batches { value: 3 }
        num_batch_threads { value: 2 }
        thread_pool_name { value: "pool" }
        allowed_batch_sizes: 4
        allowed_batch_sizes: 16
        pad_variable_length_inputs: true
        """,
    )
    assert read == BatchingParameters(
        max_batch_size=16,
        batch_timeout_micros=2000,
        max_enqueued_batches=3,
        num_batch_threads=2,
        allowed_batch_sizes=(4, 16),
        pad_variable_length_inputs=True,
        enable_large_batch_splitting=False,
    )
    assert (read.rows_at_once, read.allowed_size(1), read.allowed_size(5)) == (16, 4, 16)


def test_splitting_has_a_size_of_its_own(tmp_path: Path) -> None:
    text = "max_batch_size { value: 8 } enable_large_batch_splitting { value: true }"
    assert _read(tmp_path, text).rows_at_once == 8
    assert _read(tmp_path, text + " max_execution_batch_size { value: 2 }").rows_at_once == 2
    assert _read(tmp_path, "").rows_at_once == BatchingParameters().rows_at_once


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_batch_size: 8", "is no BatchingParameters in protobuf's text format"),
        ("max_batch_siz { value: 8 }", 'has no field named "max_batch_siz"'),
        ("max_batch_size { value: 0 }", "max_batch_size is 0, expected at least 1"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros is -1, expected at least 0"),
        ("num_batch_threads { value: 1099511627776 }", "is 1099511627776, expected at most 4096"),
        ("allowed_batch_sizes: 4 allowed_batch_sizes: 2", r"must be .* increase, and are \[4, 2\]"),
        ("max_batch_size { value: 8 } allowed_batch_sizes: 4", "last entry was 4; expected 8"),
    ],
)
def test_what_cannot_be_is_refused_in_words(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _read(tmp_path, text)


def test_a_missing_file_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Cannot read .*none, expected a BatchingParameters"):
        read_batching_parameters(tmp_path / "none")
