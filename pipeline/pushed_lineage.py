"""What the pushed version was made from, as ML Metadata knows it."""

from dataclasses import dataclass
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from components.artifact_names import PUSHED_DIGEST
from components.lineage import input_of, run_of
from models.errors import GraftError
from models.storage.plain_path import plain_path
from models.storage.seals import tree_digest
from pipeline.metadata_place import FAILURES, open_store, place_of
from pipeline.workspace import Workspace

_PUSHED = "PushedModel"


@dataclass(frozen=True)
class Lineage:
    """Where the parents of a pushed version lie, in paths that are no patterns to TensorFlow.

    Attributes:
        model: directory of the Model artifact.
        examples: directory of the Examples artifact that it was trained on.
        run: that trained it; empty where nobody knows.
    """

    model: Path
    examples: Path
    run: str


def lineage_of(version: Path, workspace: Workspace) -> Lineage:
    """Finds the parents of a version by the digest that its push left.

    Args:
        version: directory of the version.
        workspace: where the run was.

    Raises:
        GraftError: the version was pushed by a run of no or another workspace, its parents were
            deleted, or the metadata store is damaged.
    """
    place = place_of(workspace)
    if not place.is_there:
        raise _unknown(version, workspace)
    place.check()
    try:
        store = open_store(workspace, writes=False)
        model = _input(store, _push_of(store, version, workspace), "model")
        examples = _input(store, model.id, "examples")
        run = run_of(store, model.id)
    except FAILURES as error:
        raise place.unreadable(error) from None
    made, read = workspace.artifact(model.uri), workspace.artifact(examples.uri)
    for folder in (made, read):
        if not folder.is_dir():
            raise GraftError(
                f"{folder}, from which {version} was made, is missing. `graft run` makes it again."
            )
    return Lineage(plain_path(made), plain_path(read), run)


def run_that_made(model: Path, workspace: Workspace) -> str:
    """The run that trained a model, which another may have taken from the cache.

    Args:
        model: directory of the Model artifact.
        workspace: of both runs.

    Returns:
        Its id; empty where nothing is known of it.
    """
    store = open_store(workspace, writes=False)
    known = store.get_artifacts_by_uri(str(model))
    return run_of(store, known[0].id) if known else ""


def _push_of(store: mlmd.MetadataStore, version: Path, workspace: Workspace) -> int:
    digest = tree_digest(version)
    for artifact in store.get_artifacts_by_type(_PUSHED):
        properties = artifact.custom_properties
        if PUSHED_DIGEST in properties and properties[PUSHED_DIGEST].string_value == digest:
            return int(artifact.id)
    raise _unknown(version, workspace)


def _input(store: mlmd.MetadataStore, made: int, key: str) -> metadata_store_pb2.Artifact:
    """What the execution that made an artifact read under a key."""
    artifact = input_of(store, made, key)
    if artifact is None:
        raise RuntimeError(f"nothing says what artifact {made} was made from, under {key}")
    return artifact


def _unknown(version: Path, workspace: Workspace) -> GraftError:
    return GraftError(
        f"No run in {workspace.root} pushed {version} as it is now. Name the workspace of the run "
        "that pushed it with --workspace, or push a model anew."
    )
