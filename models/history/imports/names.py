"""Names of hyperparameters: those of one thing in two tuners become one.

Only names that mean the same in the same unit are joined. The logarithm of a rate (`log_lr`) is
another quantity: it keeps its name.
"""

import re
from collections.abc import Iterable, Mapping

from models.history.imports.foreign_past import ForeignPastError, Wanted

_SYNONYMS = (
    ("learning_rate", "lr", "learningrate", "learn_rate"),
    ("batch_size", "batchsize"),
    ("dropout", "dropout_rate"),
    ("label_smoothing", "labelsmoothing"),
    ("weight_decay", "weightdecay"),
)
"""Of each line any is written for any; without a target the first one is taken."""

RATES = _SYNONYMS[0]
"""What a learning rate is called."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]{0,99}")


def check_named(names: Iterable[str], present: Iterable[str], where: str) -> None:
    """Makes sure that the past has what the user renames.

    Raises:
        ForeignPastError: it has not.
    """
    known = sorted(present)
    for name in names:
        if name not in known:
            raise ForeignPastError(
                f"{where}: has no hyperparameter {name!r} to be renamed; it has "
                f"{', '.join(known[:20]) or 'none'}."
            )


def our_names(theirs: Iterable[str], wanted: Wanted, where: str) -> dict[str, str]:
    """Our name for each of their names.

    Args:
        theirs: names of the past's hyperparameters.
        wanted: what the user says about them.
        where: the source, for messages.

    Returns:
        Without those that the user leaves out.

    Raises:
        ForeignPastError: a name cannot be kept, or two would be one.
    """
    present = sorted(set(theirs))
    ours = {name: wanted.names.get(name, name) for name in present}
    taken = {our for our in ours.values() if our}
    for name in present:
        if name in wanted.names:
            continue
        other = _synonym(name, wanted.target)
        rivals = [each for each in present if _synonym(each, wanted.target) == other]
        if other not in taken and len(rivals) == 1:
            ours[name] = other
    ours = {name: our for name, our in ours.items() if our}
    _check_ours(ours, where)
    return ours


def names_in(theirs: Iterable[str], target: Iterable[str]) -> dict[str, str]:
    """The target's name for each of their names that means the same and is another word.

    Args:
        theirs: names of the hyperparameters of a search.
        target: names of those of another one.

    Returns:
        Without names that the target has itself, or of which two would be one.
    """
    present, wanted = set(theirs), set(target)
    found = {name: _synonym(name, wanted) for name in present}
    return {
        name: other
        for name, other in found.items()
        if other in wanted - present and list(found.values()).count(other) == 1
    }


def _synonym(name: str, target: Iterable[str]) -> str:
    """The name that the target has for the same thing, or the usual one."""
    wanted = set(target)
    if name in wanted:
        return name
    plain = re.sub(r"[ .-]", "_", name.lower())
    family = next((each for each in _SYNONYMS if plain in each), None)
    if family is None:
        return name
    return next((each for each in family if each in wanted), family[0])


def _check_ours(ours: Mapping[str, str], where: str) -> None:
    for name, our in ours.items():
        if not _NAME.fullmatch(our):
            raise ForeignPastError(
                f"{where}: {our!r} cannot be the name of a hyperparameter: letters, digits and "
                f"_ . / - are allowed, the first a letter. Rename it with --map '{name}=name', or "
                f"leave it out with --map '{name}='."
            )
    double = sorted(our for our in ours.values() if list(ours.values()).count(our) > 1)
    if double:
        raise ForeignPastError(
            f"{where}: two hyperparameters would be called {double[0]!r}. Leave one out with "
            "--map 'name='."
        )
