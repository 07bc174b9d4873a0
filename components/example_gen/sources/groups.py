"""The group that a path names (`data.group`): images of one thing, kept on one side."""

from collections.abc import Sequence
from dataclasses import replace

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import SourceFile
from components.example_gen.sources.user_pattern import found_in


def in_groups(files: Sequence[SourceFile], settings: IngestSettings) -> list[SourceFile]:
    """Gives files the groups that their paths name; see `groups_of`."""
    if not settings.group:
        return list(files)
    groups = groups_of([file.name for file in files], settings)
    return [replace(file, group=group) for file, group in zip(files, groups, strict=True)]


def groups_of(names: Sequence[str], settings: IngestSettings) -> list[str]:
    """Finds the group that each path is of, where `data.group` is a pattern; see `found_in`."""
    return found_in(names, settings.group, "data.group")
