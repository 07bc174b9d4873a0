"""Where a workspace keeps what belongs to its gateway, and what the gateway shows."""

from pathlib import Path

from pipeline.config import Config
from pipeline.workspace import Workspace


def gateway_folder(config: Config) -> Path:
    """State of the rollouts, logs, nginx's files, and versions and labels for a server's start."""
    return config.workspace_path / "gateway"


def health_page(config: Config) -> Path:
    """The page of `graft monitor`."""
    return Workspace.of(config).monitoring / "health.html"
