"""Addresses to listen on: IPv6 stands in brackets before a port, and without them elsewhere."""


def bare_host(text: str) -> str:
    """A host without the brackets that IPv6 has in a URL.

    >>> bare_host("[::1]")
    '::1'
    """
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def url_host(host: str) -> str:
    """A host as it stands in a URL.

    >>> url_host("::1"), url_host("127.0.0.1")
    ('[::1]', '127.0.0.1')
    """
    return f"[{host}]" if ":" in host else host


def host_and_port(host: str, port: int | None) -> str:
    """Host and port as they stand in a URL.

    >>> host_and_port("::1", 8500), host_and_port("127.0.0.1", 8500)
    ('[::1]:8500', '127.0.0.1:8500')
    """
    return f"{url_host(host)}:{port}"
