"""Writes the configuration of nginx."""

import functools
import getpass
import hashlib
import os
import re
from pathlib import Path
from typing import Final

import jinja2

from models.errors import UsageError
from models.listening import host_and_port
from serving.gateway.settings import CANARY, STABLE, GatewaySettings

_HERE: Final = Path(__file__).parent


def nginx_config(settings: GatewaySettings, copies_to: str, folder: Path) -> str:
    """The text of `nginx.conf`.

    Args:
        settings: of the gateway.
        copies_to: address that takes copies of requests.
        folder: for logs and temporary files, absolute.

    Raises:
        UsageError: a path holds a character that nginx takes for one of its own.
    """
    return _template().render(
        settings=settings,
        copies_to=copies_to,
        folder=folder,
        page=_HERE / "templates",
        model=settings.model_name,
        name=re.escape(settings.model_name),
        user=getpass.getuser() if os.geteuid() == 0 else None,
        certificate_digest=_digest(settings.certificate),
        quoted=_quoted,
        host_and_port=host_and_port,
        STABLE=STABLE,
        CANARY=CANARY,
    )


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    return environment.get_template("nginx.conf.j2")


def _digest(certificate: Path | None) -> str:
    """Tells a certificate from the one that it replaces; none of one that nginx will miss too."""
    try:
        return hashlib.sha256(certificate.read_bytes()).hexdigest() if certificate else ""
    except OSError:
        return ""


def _quoted(path: Path) -> str:
    text = str(path)
    if re.search(r'["\\$\x00-\x1f]', text):
        raise UsageError(f"nginx takes no quotes, backslashes, $ or line ends in a path: {text!r}.")
    return f'"{text}"'
