"""Writes the configuration of nginx."""

import getpass
import os
import re
from pathlib import Path
from typing import Final

import jinja2

from models.errors import UsageError
from serving.gateway.settings import CANARY, STABLE, GatewaySettings, Traffic

_HERE: Final = Path(__file__).parent


def nginx_config(settings: GatewaySettings, traffic: Traffic, folder: Path) -> str:
    """The text of `nginx.conf`.

    Args:
        settings: of the gateway.
        traffic: for the time being.
        folder: for logs and temporary files, absolute.

    Raises:
        UsageError: a path holds a character that nginx takes for one of its own.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    return environment.get_template("nginx.conf.j2").render(
        settings=settings,
        traffic=traffic,
        folder=folder,
        page=_HERE / "templates",
        model=settings.model_name,
        name=re.escape(settings.model_name),
        user=getpass.getuser() if os.geteuid() == 0 else None,
        quoted=_quoted,
        percent=_percent,
        STABLE=STABLE,
        CANARY=CANARY,
    )


def _quoted(path: Path) -> str:
    text = str(path)
    if re.search(r'["\\$\x00-\x1f]', text):
        raise UsageError(f"nginx takes no quotes, backslashes, $ or line ends in a path: {text!r}.")
    return f'"{text}"'


def _percent(share: float) -> str:
    """A share as `split_clients` takes it: hundredths of a percent."""
    return f"{100 * share:.2f}%"
