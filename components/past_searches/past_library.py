"""Reads all that one search learns from."""

from collections.abc import Iterable, Sequence

from tfx.types import Artifact

from components.past_searches.knowledge import Knowledge
from components.past_searches.stored_histories import history_file
from models.history.library import Library, read_library
from models.history.records import TaskDescription
from models.history.shipped import unrelated_files


def read_past(
    past: Sequence[Artifact],
    knowledge: Knowledge,
    task: TaskDescription,
    *,
    images: Iterable[str] = (),
) -> Library:
    """Reads earlier searches from ML Metadata, from folders and buckets, and what comes with Graft.

    Args:
        past: histories that ML Metadata knows.
        knowledge: the others.
        task: of the new search.
        images: digests of the new search's images, which what comes with Graft may not share.
    """
    starter, related = unrelated_files(images) if knowledge.starter else ([], [])
    own = [*(history_file(artifact.uri) for artifact in past), *map(str, starter)]
    library = read_library(
        [("", file.path) for file in knowledge.files],
        own=[("", file) for file in own],
        task=task,
    )
    return Library(library.histories, (*knowledge.left_out, *library.skipped, *related))
