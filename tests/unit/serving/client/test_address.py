import pytest

from models.errors import UsageError
from serving.client.address import as_grpc, parse_address


@pytest.mark.parametrize(
    ("text", "target", "is_grpc", "is_encrypted"),
    [
        ("127.0.0.1:8501", "http://127.0.0.1:8501", False, False),
        ("http://localhost", "http://localhost", False, False),
        ("https://a.example/models//", "https://a.example/models", False, True),
        ("http://[::1]:8501", "http://[::1]:8501", False, False),
        ("grpc://localhost:8500", "localhost:8500", True, False),
        ("grpcs://[::1]:8500/", "[::1]:8500", True, True),
        ("unix:/run/graft.sock", "unix:/run/graft.sock", True, False),
    ],
)
def test_an_address_says_all(text: str, target: str, is_grpc: bool, is_encrypted: bool) -> None:
    read = parse_address(text)
    assert (read.target, read.is_grpc, read.is_encrypted) == (target, is_grpc, is_encrypted)
    assert read.text == text


@pytest.mark.parametrize(
    "text",
    [
        "", "http://", "ftp://localhost", "http://localhost:port", "http://localhost:99999",
        "http://[::1", "grpc://localhost", "grpc://localhost:1/path", "http://me:secret@localhost",
        "http://localhost?a=b", "http://localhost#a", "://", "http:///path",
    ],
)  # fmt: skip
def test_what_is_no_address_is_bad_usage(text: str) -> None:
    with pytest.raises(UsageError, match="Expected http://HOST:PORT"):
        parse_address(text)


def test_without_a_scheme_it_is_of_the_api_that_is_meant() -> None:
    assert as_grpc("localhost:1") == "grpc://localhost:1"
    assert as_grpc("grpcs://localhost:1") == "grpcs://localhost:1"
    assert as_grpc("unix:socket") == "unix:socket"
