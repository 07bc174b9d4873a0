"""What a gateway refuses before nginx sees it."""

from pathlib import Path

import pytest

from models.errors import UsageError
from serving.gateway.api_keys import as_maps, read_keys
from serving.gateway.nginx_config import nginx_config
from serving.gateway.settings import GatewaySettings, Server, Traffic

SERVER = Server("127.0.0.1:8501", "[::1]:8500")


@pytest.mark.parametrize("name", ["", "a b", "a;b", 'a"', "a/b", "a$b", "x" * 129])
def test_a_name_that_could_be_a_directive(name: str) -> None:
    with pytest.raises(UsageError, match="model name"):
        GatewaySettings(name, SERVER, SERVER)


@pytest.mark.parametrize("address", ["", "x", "http://x:1", "x:1;", "x:y", "a b:1"])
def test_an_address(address: str) -> None:
    with pytest.raises(UsageError, match="HOST:PORT"):
        Server(address, "127.0.0.1:8500")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", 0),
        ("port", 65_536),
        ("grpc_port", -1),
        ("body_mib", 0),
        ("connections", 0),
        ("requests_per_second", -1),
    ],
)
def test_a_limit_that_would_be_none(name: str, value: int) -> None:
    with pytest.raises(UsageError, match=f"gateway's {name} is {value}, expected 1 to"):
        GatewaySettings("m", SERVER, SERVER, **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [-1, 101])
def test_a_share(share: int) -> None:
    with pytest.raises(UsageError, match="0 % to 100 %"):
        Traffic(share=share)


def test_a_path_that_nginx_would_read_otherwise() -> None:
    settings = GatewaySettings("m", SERVER, SERVER)
    with pytest.raises(UsageError, match="no quotes"):
        nginx_config(settings, "127.0.0.1:1", Path('/a"; daemon off; "'))


def _listens(settings: GatewaySettings) -> list[str]:
    text = nginx_config(settings, "127.0.0.1:1", Path("/g"))
    return [line.strip() for line in text.splitlines() if "listen " in line]


def test_it_listens_on_this_machine_unless_told() -> None:
    assert _listens(GatewaySettings("m", SERVER, SERVER)) == ["listen 127.0.0.1:8080;"]


def test_it_listens_over_ipv6() -> None:
    other = Server("127.0.0.1:8601", "127.0.0.1:8600")
    settings = GatewaySettings("m", SERVER, other, host="::1", grpc_port=9000)
    assert _listens(settings) == ["listen [::1]:8080;", "listen [::1]:9000 http2;"]


def _file(folder: Path, text: str) -> Path:
    path = folder / "keys"
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def test_keys_are_read(tmp_path: Path) -> None:
    key = "A-_9" * 8
    assert read_keys(_file(tmp_path, f"\ufeff# who\r\n\r\nalice  {key}\r\n")) == {key: "alice"}
    assert f'"~^(?i:Bearer) {key.replace("-", chr(92) + "-")}$" "alice";' in as_maps({key: "alice"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no API key"),
        ("alice short\n", "Line 1 of"),
        (f"# x\nalice {'k' * 30}; x\n", "Line 2 of"),
        (f'al"ice {"k" * 30}\n', "Line 1 of"),
    ],
)
def test_bad_keys_are_refused_without_being_shown(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        read_keys(_file(tmp_path, text))
    assert "k" * 30 not in str(refused.value)


def test_a_missing_file_of_keys(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_keys(tmp_path / "none")
