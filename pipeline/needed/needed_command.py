"""`graft needed`: says whether `graft run --if-needed` would run, and runs nothing."""

from typing import Final

from models.errors import kind_of
from pipeline.config import Config
from pipeline.fetched_paths import is_fetched
from pipeline.image_fetch import fetch_images
from pipeline.needed.labelled_requests import labelled_digest
from pipeline.needed.need import need
from pipeline.workspace import Workspace

NOT_NEEDED: Final = 7
"""The exit code where no run is needed."""


def say_whether_needed(config: Config, *, by_monitor: bool) -> int:
    """Prints why a run is needed or not.

    Args:
        config: of the run, with `data.path` set.
        by_monitor: whether the decision of the monitor alone counts.

    Returns:
        The exit code: 0 where a run is needed, else `NOT_NEEDED`.

    Raises:
        GraftError: the data cannot be listed or fetched, or a file of the monitor is damaged; or,
            as the last run did, that one failed and is not tried again yet.
        WorkspaceBusyError: images have to be fetched, and a run holds the workspace.
        OSError: the data cannot be looked at.
    """
    workspace = Workspace.of(config)
    if not by_monitor and is_fetched(config):
        with workspace.hold(wait=False):
            fetch_images(config)
    found = need(config, workspace, labelled_digest(workspace.labelled_requests))
    is_needed = found.retrain is not None if by_monitor else found.needed
    if found.waits_for is not None and not by_monitor:
        # A scheduler that skips what is not needed would take it for a success.
        raise kind_of(found.waits_for)(found.reason)
    if is_needed:
        print(f"Needed. {found.retrain.reason if by_monitor and found.retrain else found.reason}")
        return 0
    wants_none = by_monitor and found.waits_for is None
    print(f"Not needed. {'The monitor wants no retraining.' if wants_none else found.reason}")
    return NOT_NEEDED
