"""`graft prune`, and what a run takes away once it has ended."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timezone

import ml_metadata as mlmd

from components.pusher.push import pushed_versions
from models.errors import GraftError, UsageError
from pipeline.config import Config
from pipeline.metadata_place import FAILURES, open_store, place_of
from pipeline.retention import old_artifacts
from pipeline.retention.old_caches import surplus_caches
from pipeline.retention.old_publications import PublishedVersion, old_publications
from pipeline.retention.old_runs import runs_to_keep, versions_to_keep
from pipeline.retention.removal import Removal
from pipeline.retention.retention_settings import RetentionSettings
from pipeline.workspace import Workspace

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def prune(
    config: Config, keep: RetentionSettings, *, delete: bool, inside_only: bool = False
) -> int:
    """Shows what `keep` leaves no room for, and deletes it if told to.

    Args:
        config: names the workspace.
        keep: what stays.
        delete: do it.
        inside_only: leave alone what lies outside the workspace, and say so: only a file in it
            names that, and the workspace may be a copy, or somebody else's.

    Returns:
        The exit code.

    Raises:
        UsageError: there is no workspace, or nothing says what is to be kept.
        WorkspaceBusyError: a run holds the workspace.
        GraftError: something cannot be read or deleted.
    """
    workspace = Workspace.of(config)
    if not workspace.root.is_dir():
        raise UsageError(f"There is no workspace {workspace.root}. Name one with --workspace.")
    if not keep.is_set:
        raise UsageError(
            "Nothing says what is to be kept: give --runs, --days, --versions or --cache-gigabytes,"
            " or set them in the section `retention` of the configuration."
        )
    with workspace.hold(wait=False):
        removals = prune_held(config, keep, delete=delete, inside_only=inside_only)
    if inside_only and keep.versions is not None:
        for place in outside(config):
            print(
                f"{place} is left as it is: only a file of the workspace names it. To prune there "
                "too, name the configuration file of the runs with --config."
            )
    for line in _lines(removals, "Deleted" if delete else "Would delete"):
        print(line)
    if removals and not delete:
        print("Nothing was deleted. The same command with --yes does it.")
    return 0


def outside(config: Config) -> list[str]:
    """Places of versions that lie outside the workspace: the bucket, and the server's directory."""
    served = config.serving_directory
    is_inside = served.resolve().is_relative_to(config.workspace_path.resolve())
    return [place for place in ("" if is_inside else str(served), config.serving.publish) if place]


def prune_held(
    config: Config, keep: RetentionSettings, *, delete: bool, inside_only: bool = False
) -> list[Removal | PublishedVersion]:
    """Does the same in a workspace that this process holds.

    Raises:
        GraftError: something cannot be read or deleted. What was deleted until then is noted.
    """
    workspace = Workspace.of(config)
    if inside_only and str(config.serving_directory) in outside(config):
        keep = keep.model_copy(update={"versions": None})
    versions = versions_to_keep(config, keep)
    folders = workspace.run_folders()
    kept = runs_to_keep(folders, keep, versions, datetime.now(timezone.utc))
    removals = [
        Removal.of("pushed versions", path)
        for number, path in sorted(pushed_versions(config.serving_directory).items())
        if number not in versions
    ]
    removals += [Removal.of("runs", folder) for folder in folders if folder not in set(kept)]
    try:
        if len(kept) < len(folders):
            names = [folder.name for folder in kept]
            removals += _old_artifacts(workspace, names, delete=delete)
        removals += surplus_caches(workspace, keep.cache_gigabytes)
        if delete:
            for removal in removals:
                removal.delete()
    except OSError as error:
        raise GraftError(f"{error.filename} cannot be deleted: {error.strerror}.") from None
    # Last: a bucket that does not answer keeps nothing here.
    published = [] if inside_only else old_publications(config, keep, versions)
    if delete:
        for each in published:
            each.delete()
    return [*removals, *published]


def _old_artifacts(workspace: Workspace, kept_runs: list[str], *, delete: bool) -> list[Removal]:
    if not place_of(workspace).is_there:
        return []
    with _opened(workspace, writes=delete) as store:
        going = old_artifacts.unneeded(store, kept_runs)
        files = old_artifacts.files_of(workspace, store, going)
        if delete:
            # Noted first: a folder that is there for nobody is found again, one that is missing is
            # not expected.
            old_artifacts.forget(store, going)
    return files


@contextlib.contextmanager
def _opened(workspace: Workspace, *, writes: bool) -> Iterator[mlmd.MetadataStore]:
    place = place_of(workspace)
    place.check()
    try:
        if writes:
            place.begin_writing()
        yield open_store(workspace, writes=writes)
    except FAILURES as error:
        raise place.unreadable(error) from None
    finally:
        if writes:
            place.end_writing()


def _lines(removals: list[Removal | PublishedVersion], verb: str) -> Iterator[str]:
    if not removals:
        yield "There is nothing to delete."
    totals: dict[str, list[int]] = defaultdict(list)
    for removal in removals:
        totals[removal.kind].append(removal.size)
    for kind, sizes in totals.items():
        yield f"{verb} {kind}: {len(sizes)}, {_in_words(sum(sizes))}"


def _in_words(size: float) -> str:
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} {_UNITS[-1]}"
