"""What a client is told."""

import pytest

from models.errors import UsageError
from serving.client.async_client import AsyncGraftClient
from serving.client.options import sendable_key


def test_what_a_file_has_around_a_key_is_not_of_it() -> None:
    assert sendable_key(" s3cret+/=\r\n") == "s3cret+/="
    assert sendable_key(None) is None


@pytest.mark.parametrize("key", ["é", "two\nlines", "nul\0"])
def test_a_key_that_no_header_can_hold_is_refused_before_anything_is_sent(key: str) -> None:
    with pytest.raises(UsageError, match="characters that no header can hold"):
        AsyncGraftClient("http://localhost:1", api_key=key)
