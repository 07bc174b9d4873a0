"""Which folders of a source are classes, which are splits, and which only lie around them.

Understood are, in this order, and below any folder that merely holds everything:

- split folders with class folders in them (`train/cats`, `seg_train/seg_train/cats`);
- class folders with split folders in them (`cats/train`);
- class folders, whose images lie at any depth.

Where more than one reading fits, the user is asked: a wrong guess would end in a model that tells
one day, one fold or one split from another, with fine scores.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from components.example_gen.sources import questions
from components.example_gen.sources.entries import canonical_label
from components.example_gen.sources.split_names import (
    SplitName,
    meaning,
    plain_split,
    says_no_class,
    split_name,
)
from components.example_gen.sources.tree import Folder
from models.data import example_schema

_DEEPEST = 8
"""Folders around folders that are entered; links could make more without an end."""
_SEVERAL = 2
_SHOWN = 3
NO_CLASS = ("no_class", "it lies outside every class folder")
"""Code and reason for an image that no class folder holds."""


@dataclass
class Layout:
    """How a source's folders are read.

    Attributes:
        classes: path of each class folder, to its class and the user's split or None.
        around: paths of the folders that only lie around others.
        aside: path of folders that are passed over, to the code and the reason.
        inner: whether the folder that an image lies in is its class; then the above is empty.
        said: one sentence for the user.
    """

    classes: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    around: set[str] = field(default_factory=set)
    aside: dict[str, tuple[str, str]] = field(default_factory=dict)
    inner: bool = False
    said: str = "a folder per class"

    def add_classes(self, folders: Sequence[Folder], split: str | None) -> None:
        """Takes folders for classes, named by their titles."""
        self.classes |= {one.path: (canonical_label(one.title), split) for one in folders}

    def why_aside(self, folder: Folder) -> tuple[str, str]:
        """Code and reason for a folder that is no class and lies around none."""
        return self.aside.get(folder.path, NO_CLASS)


def understand(root: Folder) -> Layout:
    """Reads the folders of a source.

    Raises:
        BadDataError: there are no class folders, or more than one reading fits.
    """
    if not root.folders:
        raise questions.no_class_folders(root)
    layout = Layout(around={root.path})
    if root.settings.layout == "class_per_folder":
        layout.add_classes(root.folders, None)
        return layout
    if root.settings.layout == "class_per_inner_folder":
        return Layout(inner=True, said="the folder that an image lies in is its class")
    chain = _chain(root, _is_plain_split) or [root]
    top = chain[-1]
    layout.around.update(folder.path for folder in chain)
    if splits := _splits(top):
        _read_splits(top, splits, layout)
    elif _is_split_below_classes(top):
        _read_splits_below_classes(top, layout)
    else:
        inside = _inside(top)
        _refuse_shared(top, inside)
        layout.add_classes(top.folders, None)
        layout.said += _said_of_folders_in_classes(inside)
    _refuse_names_of_no_class(top, layout)
    if top is not root:
        layout.said += f", in {top.name}/"
    return layout


def _chain(folder: Folder, is_meant: Callable[[Folder], bool]) -> list[Folder]:
    """From a folder to the one that holds the class folders, entering what holds but one folder.

    Args:
        folder: where to begin.
        is_meant: whether a folder that is alone in another stands for something itself.

    Returns:
        The folder and those entered; the last one holds the others. Empty where it has no folders
        with images, or more images beside them.
    """
    chain = [folder]
    while len(chain) < _DEEPEST and not chain[-1].has_images_beside_folders:
        inside = chain[-1].with_images
        if len(inside) > 1 or (inside and is_meant(inside[0])):
            return chain
        if not inside:
            break
        chain.append(inside[0])
    alone = folder.with_images
    return [folder] if alone and not folder.has_images_beside_folders else []


def _splits(top: Folder) -> dict[Folder, str]:
    """The folders that are splits, with class folders in them or without; none where none are.

    Raises:
        BadDataError: the names say split, but what lies in the folders does not fit.
    """
    named = {one: name for one in top.with_images if (name := split_name(one.title))}
    training = [one for one, name in named.items() if name.split == example_schema.TRAIN]
    training = [one for one in training if _class_folders(one)]
    if not training:
        _refuse_without_training(top, named)
        return {}
    kinds = {named[one].rest for one in training}
    if len(kinds) > 1:
        raise questions.which_set(top, training)
    labels = {folder.title for one in training for folder in _class_folders(one)}
    members = {
        one: name.split
        for one, name in named.items()
        if name.rest in kinds or labels & {folder.title for folder in _class_folders(one)}
    }
    if set(members.values()) == {example_schema.TRAIN} and set(members) != set(top.with_images):
        raise questions.is_it_a_split(top, training[0])
    return members


def _class_folders(split: Folder) -> tuple[Folder, ...]:
    chain = _split_chain(split, ())
    return chain[-1].with_images if chain else ()


def _split_chain(split: Folder, labels: Sequence[str]) -> list[Folder]:
    """As `_chain`, for a split folder; a lone folder in it is a class if training knows it."""
    chain = _chain(split, lambda one: canonical_label(one.title) in labels)
    if not chain:
        return []
    classes = chain[-1].with_images
    lone = classes[0].title if len(classes) == 1 else ""
    # test/images/1.jpg: "images" says nothing of what the images show.
    nameless = lone and not meaning(lone) and canonical_label(lone) not in labels
    return [] if nameless and not any(map(str.isdigit, lone)) else chain


def _refuse_without_training(top: Folder, named: dict[Folder, SplitName]) -> None:
    plain = [one for one, name in named.items() if not name.rest]
    if plain and len(plain) == len(top.with_images):
        raise questions.no_training(top, plain)
    for rest in {name.rest for name in named.values()}:
        family = [one for one, name in named.items() if name.rest == rest]
        if len({named[one].split for one in family}) > 1:
            raise questions.splits_without_classes(top, family)


def _read_splits(top: Folder, splits: dict[Folder, str], layout: Layout) -> None:
    labels: list[str] = []
    said = []
    for folder, split in sorted(splits.items(), key=lambda item: item[1] != example_schema.TRAIN):
        chain = _split_chain(folder, labels)
        said.append(f"{folder.name}/ is the {split} split")
        if not chain:
            said[-1] += " but has no class folders and was passed over"
            reason = f"{folder.name}/ has no class folders, so nothing says what its images show"
            layout.aside[folder.path] = ("no_class", reason)
            continue
        if split == example_schema.TRAIN:
            _refuse_shared(chain[-1], _inside(chain[-1]))
            labels += [canonical_label(one.title) for one in chain[-1].folders]
        layout.around.update(one.path for one in chain)
        layout.add_classes(chain[-1].folders, split)
    for folder in top.folders:
        if folder not in splits:
            reason = f"{folder.name}/ lies beside the training folder and is no split"
            layout.aside[folder.path] = ("not_a_split", reason)
            if folder.holds_images:
                said.append(f"{folder.name}/ is no split and was passed over")
    layout.said = ", ".join(said)


def _is_split_below_classes(top: Folder) -> bool:
    """Whether every class holds split folders and nothing else.

    Raises:
        BadDataError: only some do, or none has a training folder.
    """
    classes = top.with_images
    below = {one: _splits_in(one) for one in classes}
    whole = [
        one
        for one in classes
        if len(below[one]) == len(one.with_images) > 0 and not one.has_images_beside_folders
    ]
    if classes and len(whole) == len(classes):
        _refuse_shared(top, {one: set().union(*map(_titles_inside, below[one])) for one in classes})
        if example_schema.TRAIN in {
            split for splits in below.values() for split in splits.values()
        }:
            return True
        raise questions.no_training(top, classes)
    parted = [one for one in classes if len(set(below[one].values())) > 1]
    if parted:
        raise questions.only_some_have_splits(top, parted)
    return False


def _splits_in(folder: Folder) -> dict[Folder, str]:
    """Folders in a class folder that are splits: `cats/train`, `cats/cats_train`."""
    named = ((one, split_name(one.title)) for one in folder.with_images)
    own = ((), meaning(folder.title))
    return {one: name.split for one, name in named if name and name.rest in own}


def _read_splits_below_classes(top: Folder, layout: Layout) -> None:
    splits: set[str] = set()
    for folder in top.folders:
        label = canonical_label(folder.title)
        found = _splits_in(folder)
        if not found:  # no image lies in it
            layout.add_classes([folder], None)
            continue
        layout.around.add(folder.path)
        splits.update(found.values())
        layout.classes |= {one.path: (label, split) for one, split in found.items()}
    names = " and ".join(split for split in example_schema.SPLITS if split in splits)
    layout.said = f"a folder per class, with a folder for {names} in each"


def _refuse_shared(top: Folder, inside: dict[Folder, set[str]]) -> None:
    """Asks where folders that would be classes hold the same folders.

    Args:
        top: the folder that holds them.
        inside: what each of them holds.
    """
    counts = Counter(title for titles in inside.values() for title in titles)
    shared = sorted(title for title, count in counts.items() if count > 1)
    if len(shared) > 1 and 2 * len(shared) >= len(counts):
        holding = [one for one, titles in inside.items() if titles & set(shared)]
        raise questions.which_folders_are_classes(top, holding, shared)


def _said_of_folders_in_classes(inside: dict[Folder, set[str]]) -> str:
    """Names folders in class folders that could be the classes; empty where not all hold some."""
    if not inside or any(len(titles) < _SEVERAL for titles in inside.values()):
        return ""
    shown = ", ".join(sorted(set().union(*inside.values()))[:_SHOWN])
    return (
        f"; the folders in them ({shown}, …) are none: data.layout: class_per_inner_folder takes"
        " them for the classes"
    )


def _inside(top: Folder) -> dict[Folder, set[str]]:
    return {one: _titles_inside(one) for one in top.with_images}


def _titles_inside(folder: Folder, depth: int = _DEEPEST) -> set[str]:
    """Titles of the folders in a folder, at any depth, whose images lie in them directly."""
    if folder.has_images_beside_folders or depth == 0:
        return set()
    titles: set[str] = set()
    for one in folder.with_images:
        below = set() if one.is_link else _titles_inside(one, depth - 1)
        titles |= below or {canonical_label(one.title)}
    return titles


def _refuse_names_of_no_class(top: Folder, layout: Layout) -> None:
    if not top.holds_images:  # the listing says so
        return
    labels = sorted({label for label, _ in layout.classes.values()})
    splits = {label: split for label in labels if (split := plain_split(label))}
    if len(set(splits.values())) > 1:
        raise questions.names_of_no_class(top, list(splits), "their names stand for splits")
    if len(labels) > 1 and all(map(says_no_class, labels)):
        raise questions.names_of_no_class(top, labels, "their names say nothing of a class")


def _is_plain_split(folder: Folder) -> bool:
    return plain_split(folder.title) is not None
