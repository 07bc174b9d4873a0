"""`graft schema`: shows the known classes, and writes others into the schema file.

A run stops at a class that the schema does not know, for that may be a spelling mistake or a wrong
folder. Whether it is meant, a person says, by one command; nothing else of the file changes.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from components.class_changes import ClassChange, class_changes
from components.image_register import Digest, read_register
from components.schema_curator.curated_schema import read_schema_file
from components.schema_curator.label_domain import with_labels
from components.schema_curator.schema import known_labels, parse_schema
from models.errors import UsageError
from models.storage.atomic_write import write_atomically
from pipeline import class_memory
from pipeline.config import Config
from pipeline.config_file import load_recorded_config
from pipeline.failure import unwritable
from pipeline.image_fetch import fetch_images
from pipeline.run_folder import CONFIG, FoundClasses, read_run
from pipeline.terminal.quiet import output_to
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class _Last:
    """The last run that looked at its classes."""

    folder: Path
    found: FoundClasses


def show(config: Config, *, config_named: bool) -> int:
    """Prints the known classes, and what the last run found of others.

    Args:
        config: names the workspace and, where it was named itself, the schema file.
        config_named: the user named a configuration file; else the last run's is taken.

    Returns:
        The exit code.

    Raises:
        UsageError: there is no schema file, or it cannot be read.
    """
    workspace = Workspace.of(config)
    last = _last(workspace)
    path = _schema_path(config, workspace, config_named)
    known = _known(path)
    print(f"{path} knows {len(known)} classes:")
    for label in sorted(known):
        print(f"  {label}")
    if last is None:
        return 0
    swaps = _exchanges(workspace, last.found.changes)
    if swaps or _differs(known, last.found.classes):
        print(f"Run {last.folder.name} found others. `graft schema accept` lets these in:")
        _print_changes(known, last.found.classes, last.found.changes, swaps)
    return 0


def accept(config: Config, *, keep_missing: bool, config_named: bool) -> int:
    """Writes the classes that the last run found into the schema file.

    Args:
        config: as in `show`.
        keep_missing: keep known classes of which there is no image any more.
        config_named: as in `show`.

    Returns:
        The exit code.

    Raises:
        UsageError: no run looked at its classes, or they are known already.
        WorkspaceBusyError: a run holds the workspace.
        GraftError: the file cannot be written.
    """
    workspace = Workspace.of(config)
    last = _last(workspace)
    if last is None:
        raise UsageError(
            f"No run in {workspace.root} came so far as to look at its classes. Name another "
            "workspace with --workspace, or data to look at with --data."
        )
    with workspace.hold(wait=False):
        path = _schema_path(config, workspace, config_named)
        known = _known(path)
        swaps = _exchanges(workspace, last.found.changes)
        if not swaps and not _differs(known, last.found.classes):
            raise _not_needed(path, f"Those of run {last.folder.name}")
        print(f"Run {last.folder.name}:")
        _print_changes(known, last.found.classes, last.found.changes, swaps)
        return _let_in(workspace, path, known, last.found.classes, swaps, keep_missing)


def accept_of_data(config: Config, *, keep_missing: bool, config_named: bool) -> int:
    """Looks at the data itself and writes its classes into the schema file.

    Args:
        config: names the data too.
        keep_missing: keep known classes of which there is no image any more.
        config_named: as in `show`.

    Returns:
        The exit code.

    Raises:
        UsageError: there is no schema file, or it knows these classes.
        BadDataError: nothing at the path can be ingested.
        WorkspaceBusyError: a run holds the workspace.
        GraftError: the file cannot be written.
    """
    workspace = Workspace.of(config)
    with workspace.hold(wait=False):
        path = _schema_path(config, workspace, config_named)
        known = _known(path)
        fetch_images(config)
        images = _images_of(config, workspace)
        present = Counter(label for _, label in images)
        memory = read_register(class_memory.folder(workspace))
        changes = class_changes(known, present, memory, dict(images))
        swaps = _exchanges(workspace, changes)
        if not swaps and not _differs(known, present):
            raise _not_needed(path, f"Those of {config.data.path}")
        print(f"{config.data.path}:")
        _print_changes(known, present, changes, swaps)
        return _let_in(workspace, path, known, present, swaps, keep_missing)


def _images_of(config: Config, workspace: Workspace) -> list[tuple[Digest, str]]:
    """The digest and the class of each image of the data."""
    # Imported here: it brings TensorFlow, which greets whoever imports it.
    with output_to(Path(os.devnull)):
        from components.example_gen.ingest import read_source
        from components.example_gen.sources.listing import resolve

    locations = resolve(config.data.path, config.data.spans)
    cache = str(workspace.cache / "digests")
    with read_source(locations, config.data, cache) as source:
        return [(bytes.fromhex(image.sha256), image.label) for image in source.images]


def _exchanges(workspace: Workspace, changes: Iterable[ClassChange]) -> list[ClassChange]:
    """Those that no one has accepted yet: what they were seen by is forgotten then."""
    if read_register(class_memory.folder(workspace)) is None:
        return []
    return [each for each in changes if each.kind == "exchanged"]


def _last(workspace: Workspace) -> _Last | None:
    for folder in reversed(workspace.run_folders()):
        found = read_run(folder).data.class_changes
        if found is not None:
            return _Last(folder, found)
    return None


def _schema_path(config: Config, workspace: Workspace, config_named: bool) -> Path:
    """Of the configuration that was named, else of that of the last run."""
    file = next((each / CONFIG for each in reversed(workspace.run_folders())), None)
    if config_named or file is None or not file.is_file():
        return config.schema_path
    return load_recorded_config(file, {"workspace": str(workspace.root)}).schema_path


def _known(path: Path) -> frozenset[str]:
    content = read_schema_file(path)
    if content is None:
        raise UsageError(
            f"There is no schema {path} yet. The first run writes it, with the classes of its data."
        )
    return known_labels(parse_schema(content, str(path))) or frozenset()


def _differs(known: frozenset[str], present: Mapping[str, int]) -> bool:
    return known != {label for label, count in present.items() if count}


def _print_changes(
    known: frozenset[str],
    present: Mapping[str, int],
    changes: Iterable[ClassChange],
    swaps: Iterable[ClassChange],
) -> None:
    """The changes as the run saw them, as far as they are not accepted yet."""
    old = [each for each in changes if set(each.before) <= known and not set(each.after) <= known]
    told = {label for each in old for label in (*each.before, *each.after)}
    rest = class_changes(known - told, {k: n for k, n in present.items() if k not in told})
    for change in (*swaps, *old, *rest):
        print(f"  {change.words}")


def _let_in(
    workspace: Workspace,
    path: Path,
    known: frozenset[str],
    present: Mapping[str, int],
    swaps: Iterable[ClassChange],
    keep_missing: bool,
) -> int:
    if _differs(known, present):
        _write(path, known, present, keep_missing)
    if swaps:
        class_memory.forget(workspace)
        print("From the next run on, images count under the names that they have there.")
    return 0


def _write(
    path: Path, known: frozenset[str], present: Mapping[str, int], keep_missing: bool
) -> None:
    labels = {label for label, count in present.items() if count}
    if keep_missing:
        labels |= known
    if labels == known:
        raise _not_needed(path, "Those with images")
    content = read_schema_file(path) or b""
    try:
        write_atomically(path, with_labels(content, labels, str(path)).encode())
    except OSError as error:
        raise unwritable(error, path.parent) from None
    came, went = len(labels - known), len(known - labels)
    print(f"Wrote {len(labels)} classes into {path}: {came} came, {went} went.")


def _not_needed(path: Path, whose: str) -> UsageError:
    return UsageError(
        f"There is nothing to accept. {whose} are the classes that {path} knows already."
    )
