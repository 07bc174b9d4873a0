"""What the user is asked where folders can be read in more than one way, or in none."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from components.example_gen.sources.entries import LeftOut, printable
from components.example_gen.sources.manifest_text import SUFFIXES
from components.example_gen.sources.named_classes import hint_of_names
from components.example_gen.sources.tree import Folder
from models.errors import BadDataError
from models.wording import begun_list, listed

LAYOUT = (
    "expected a folder per class with images in it, such as cats/1.jpg and dogs/2.jpg,"
    " or train/, validation/ and test/ with the class folders in them"
)
_NAMED = 4
_SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
_TABLES = {
    ".json": "write it as JSON Lines, an object a line, in a file .jsonl",
    ".ndjson": "if it holds an object a line, call it .jsonl",
    ".manifest": "if it holds an object a line, call it .jsonl",
    ".txt": "if it is a list of images, write it as CSV with the header path,label",
    ".lst": "write it as CSV with the header path,label",
    ".parquet": "write it as CSV with the header path,label, and the images as files",
    ".arrow": "write it as CSV with the header path,label, and the images as files",
}
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")


def no_class_folders(root: Folder) -> BadDataError:
    """The source holds no folder."""
    hint = _hint_of_ignored(root) or _hint_of_list(root) or _hint_of_archives(root)
    hint = hint or hint_of_names(root)
    return BadDataError(f"{root.path} has no class folders; {LAYOUT}.{hint}")


def no_training(top: Folder, folders: Sequence[Folder]) -> BadDataError:
    """All folders are splits, and none is a training split with classes."""
    return BadDataError(
        f"{top.path} holds {_names(folders)} but no train/ with class folders in it;"
        f" {LAYOUT}.{hint_of_labels(top)}"
    )


def which_set(top: Folder, training: Sequence[Folder]) -> BadDataError:
    """There are several training folders, of different sets."""
    return BadDataError(
        f"{top.path} holds more than one training set: {_names(training)}. Graft learns from one"
        " at a time. Put the folders of one set into a folder of its own and type"
        " `graft run --data` with that folder."
    )


def is_it_a_split(top: Folder, training: Folder) -> BadDataError:
    """A folder is called train, and nothing beside it is a split."""
    others = [one for one in top.with_images if one is not training]
    return BadDataError(
        f"{top.path} holds {_names([training])} with folders in it, and beside it"
        f" {_names(others)}. Either {training.title} is the training split, and the rest is left"
        f" out: {_run(training.path)}`. Or each of these folders is a class: {_as_classes(top)}."
        " If they are splits, rename those beside it to validation/ and test/."
    )


def splits_without_classes(top: Folder, family: Sequence[Folder]) -> BadDataError:
    """Names say split, but no training folder holds class folders."""
    return BadDataError(
        f"{top.path} holds {_names(family)}, whose names stand for splits, but not with class"
        f" folders in them; {LAYOUT}. If they are classes all the same:"
        f" {_as_classes(top)}.{hint_of_labels(top)}"
    )


def only_some_have_splits(top: Folder, parted: Sequence[Folder]) -> BadDataError:
    """Some classes hold split folders, others do not, or hold images beside them."""
    inside = ", ".join(f"{printable(one.title)}/" for one in parted[0].with_images[:_NAMED])
    return BadDataError(
        f"In {top.path}, {_names(parted)} hold folders that stand for splits ({inside}), but not"
        " every class holds such folders and nothing else. Give every class the same split"
        f" folders, or, to have Graft make the split: {_as_classes(top)}."
    )


def which_folders_are_classes(
    top: Folder, folders: Sequence[Folder], shared: Sequence[str]
) -> BadDataError:
    """Several folders hold the same folders, and no name says what they are."""
    inner = begun_list(shared, _NAMED)
    fullest = max(folders, key=lambda one: len(one.with_images))
    return BadDataError(
        f"{top.path} holds {_names(folders)}, with the same folders in them: {inner}. Which are"
        f" the classes? If {inner} are, and you want all images:"
        f" {_run(top.path)} --set data.layout=class_per_inner_folder`; from"
        f" {printable(fullest.title)}/ alone: {_run(fullest.path)}`. If"
        f" {_names(folders)} are the classes: {_as_classes(top)}. If they are splits, rename them"
        " to train/, validation/ and test/."
    )


def hint_of_labels(root: Folder) -> str:
    """Says where the labels of images in one folder may stand; empty where nothing looks so."""
    return _hint_of_list(root) or hint_of_names(root)


def names_of_no_class(top: Folder, labels: Sequence[str], why: str) -> BadDataError:
    """Classes would be called like splits, or like images and their annotations."""
    return BadDataError(
        f"In {top.path}, the folders {', '.join(label + '/' for label in labels)} would be"
        f" classes, but {why}; {LAYOUT}. If they are classes all the"
        f" same: {_as_classes(top)}.{hint_of_labels(top)}"
    )


def hint_of_archive(path: str) -> str:
    """Says of an archive or a spreadsheet what to do with it; empty for any other file."""
    name = printable(Path(path).name)
    if path.lower().endswith(_SPREADSHEETS):
        return f" {name} is a spreadsheet: save it as CSV (UTF-8)."
    is_archive = path.lower().endswith(_ARCHIVES)
    return f" {name} is an archive: unpack it." if is_archive else ""


def hint_of_table(path: str) -> str:
    """Says of a list in another form how Graft reads one; empty for any other file."""
    words = _TABLES.get(Path(path).suffix.lower())
    return f" {printable(Path(path).name)}: {words}." if words else ""


def _names(folders: Sequence[Folder]) -> str:
    return listed([f"{printable(one.title)}/" for one in folders], _NAMED)


def _run(path: str) -> str:
    return f"`graft run --data {shlex.quote(printable(path))}"


def _as_classes(top: Folder) -> str:
    return f"{_run(top.path)} --set data.layout=class_per_folder`"


def _hint_of_ignored(folder: Folder) -> str:
    """Says so where patterns of the user's match what lies there."""
    lines = (one for one in folder.entries() if isinstance(one, LeftOut))
    names = [one.name for one in lines if one.code == "ignored"]
    if not names:
        return ""
    return f" data.ignore passes over {len(names)} of its entries, such as {names[0]}."


def _inside(folder: str | Path) -> list[Path]:
    try:
        return sorted(Path(folder).iterdir())
    except OSError:
        return []


def _hint_of_archives(folder: Folder) -> str:
    hints = (hint_of_archive(str(path)) for path in _inside(folder.path))
    return next(filter(None, hints), "")


def _hint_of_list(folder: Folder) -> str:
    """Names a file beside the images, or in each folder of a split, that may hold their labels."""
    lists = _lists_in(folder.path)
    if not lists:
        lists = [path for inner in folder.with_images for path in _lists_in(inner.path)]
        if len({path.parent for path in lists}) > 1:
            return _hint_of_several(lists, Path(folder.path))
    if not lists:
        return ""
    path = min(lists, key=_is_of_others)
    return (
        f" If {printable(path.name)} says which class each image is of, in the columns path and"
        f" label: {_run(str(path))}`."
    )


def _hint_of_several(lists: Sequence[Path], top: Path) -> str:
    names = [printable(str(path.relative_to(top))) for path in lists]
    return (
        f" If {listed(names, _NAMED)} say which class each image is of: write their rows into one"
        f" list beside these folders, such as labels.csv, with the columns path (as in"
        f" {names[0].rpartition('/')[0]}/1.jpg), label and split, and type"
        f" {_run(str(top / 'labels.csv'))}`."
    )


def _lists_in(folder: str) -> list[Path]:
    return [path for path in _inside(folder) if path.name.lower().endswith(SUFFIXES)]


def _is_of_others(path: Path) -> tuple[bool, bool]:
    """Whether a list is rather of test images, or of what a contest wants answered."""
    name = path.name.lower()
    return "train" not in name, any(word in name for word in ("test", "sample", "submission"))
