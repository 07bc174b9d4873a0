"""The file of `--monitoring_config_file`: whether there is a page of metrics, and where."""

from pathlib import Path
from typing import Final

from serving.text_proto import read_text_proto

DEFAULT_PATH: Final = "/monitoring/prometheus/metrics"
_FIELDS: Final = {"prometheus_config": {"enable": "bool", "path": "string"}}


def metrics_path(file: Path | None) -> str | None:
    """Where the page of metrics shall be; None for no page, or without a file.

    Raises:
        UsageError: the file cannot be read, or is no text of a `MonitoringConfig`.
    """
    if file is None:
        return None
    prometheus = read_text_proto(file, "MonitoringConfig", _FIELDS).prometheus_config
    return (prometheus.path or DEFAULT_PATH) if prometheus.enable else None
