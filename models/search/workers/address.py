"""Where a search is served, as the configuration names it."""

import ipaddress

_HIGHEST_PORT = 65535
_WILDCARDS = ("0.0.0.0", "[::]", "*")


def check_address(text: str) -> str:
    """Refuses what no worker could connect to.

    Args:
        text: `HOST:PORT`, an IPv6 host in brackets; or empty.

    Returns:
        The same.

    Raises:
        ValueError: it is of another form; the message says what was expected.
    """
    if not text:
        return text
    host, _, port = text.rpartition(":")
    is_bare_ipv6 = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not host or "/" in host or " " in host or is_bare_ipv6:
        raise ValueError("HOST:PORT, such as 10.0.0.1:8600 or [fd00::1]:8600")
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= _HIGHEST_PORT):
        raise ValueError(f"HOST:PORT with a port from 1 to {_HIGHEST_PORT}")
    if host in _WILDCARDS:
        raise ValueError("HOST:PORT with the address at which workers reach this machine")
    return text


def is_loopback(address: str) -> bool:
    """Whether an address can be reached from its own machine alone.

    Args:
        address: `HOST:PORT` as `check_address` takes it.
    """
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
