"""Which runs and which pushed versions are kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from components.pusher.push import pushed_versions
from pipeline.config import Config
from pipeline.retention.retention_settings import RetentionSettings
from pipeline.run_folder import read_run
from pipeline.workspace import Workspace
from serving.rollout.state import RolloutFile


def versions_to_keep(config: Config, keep: RetentionSettings) -> set[int]:
    """Numbers of the pushed versions that stay.

    Raises:
        GraftError: the state of the rollout is damaged, so that nobody knows what is served.
    """
    pushed = sorted(pushed_versions(config.serving_directory))
    if keep.versions is None:
        return set(pushed)
    rollout = RolloutFile(Workspace.of(config).gateway).read()
    served = {rollout.stable, rollout.canary} if rollout else set()
    return {*pushed[-keep.versions :], *(version for version in pushed if version in served)}


def runs_to_keep(
    folders: Sequence[Path], keep: RetentionSettings, versions: set[int], now: datetime
) -> list[Path]:
    """Folders of the runs that stay.

    Args:
        folders: of all runs, oldest first.
        keep: what to keep.
        versions: pushed versions that stay, with the runs that pushed them.
        now: with a time zone.
    """
    if keep.runs is None and keep.days is None:
        return list(folders)
    # A scheduler that runs each stage by itself leaves a folder for each: these are no runs.
    whole = [folder for folder in folders if read_run(folder).status != "stage_done"]
    first = whole[-(keep.runs or 1) :][:1]
    newest = {folder for folder in folders if not first or folder >= first[0]}
    since = None if keep.days is None else now - timedelta(days=keep.days)
    return [
        folder
        for folder in folders
        if folder in newest
        or (since is not None and _ended(folder) >= since)
        or read_run(folder).model.version in versions
    ]


def _ended(folder: Path) -> datetime:
    return datetime.fromtimestamp(folder.stat().st_mtime, timezone.utc)
