"""The file of `--monitoring_config_file`: whether there is a page of metrics, and where."""

import re
from pathlib import Path
from typing import Final

from models.errors import UsageError
from serving.rest_api.options import API, LIVE, READY
from serving.text_proto import read_text_proto

DEFAULT_PATH: Final = "/monitoring/prometheus/metrics"
_PATH: Final = re.compile(r"/[A-Za-z0-9._~/-]*")
_FIELDS: Final = {"prometheus_config": {"enable": "bool", "path": "string"}}


def metrics_path(file: Path | None) -> str | None:
    """Where the page of metrics shall be; None for no page, or without a file.

    Raises:
        UsageError: the file cannot be read, is no text of a `MonitoringConfig`, or has a path that
            no request can have, or that is another page's.
    """
    if file is None:
        return None
    prometheus = read_text_proto(file, "MonitoringConfig", _FIELDS).prometheus_config
    path = prometheus.path or DEFAULT_PATH
    if not _PATH.fullmatch(path):
        raise UsageError(
            f"{file} has the path {path!r}, expected one that begins with / and goes on with"
            f" letters, digits and - . _ ~ /, such as {DEFAULT_PATH}"
        )
    if path in (LIVE, READY) or path.startswith(API):
        raise UsageError(
            f"{file} has the path {path!r}, where something else is answered; expected another"
            f" one, such as {DEFAULT_PATH}"
        )
    return path if prometheus.enable else None
