"""Where a workspace keeps what belongs to its gateway."""

from pathlib import Path

from pipeline.config import Config


def gateway_folder(config: Config) -> Path:
    """State of the rollouts, logs, nginx's files, and versions and labels for a server's start."""
    return config.workspace_path / "gateway"
