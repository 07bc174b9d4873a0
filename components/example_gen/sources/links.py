"""Links that lead out of the data (`data.follow_links`)."""

import os
from dataclasses import replace

from components.example_gen.sources.entries import LeftOut


def leaves_root(path: str, root: str) -> bool:
    """Whether a path, with its links followed, lies outside a folder.

    Args:
        path: what may be a link, or lie below one.
        root: an existing folder; may be a link itself.
    """
    real_root = os.path.realpath(root)
    return os.path.commonpath([os.path.realpath(path), real_root]) != real_root


def link_outside(name: str) -> LeftOut:
    """The line of the quarantine for a link that is not followed."""
    reason = "this link leads out of the data folder; data.follow_links: true follows it"
    return LeftOut(name, "link_outside", reason)


def linked_folder_outside(name: str, path: str, root: str) -> LeftOut:
    """The same for a link to a folder, which may be a class, but for one that holds the data.

    Args:
        name: of the link.
        path: of the link.
        root: of the data.
    """
    if not leaves_root(root, path):
        return link_outside(name)
    return replace(link_outside(f"{name}/"), fate="unknown")
