"""Earlier tasks whose images look like those of a new one.

A backbone that was fine-tuned on such a task is a better start than the pretrained one. Whether
images look alike tells the mean of their embeddings by the same backbone: the squared distance of
two means over the variance around them. Between halves of the classes of one set, and between two
makers' drawings of the same things, it was 0.05 to 0.21; between other sets 0.50 and more
(`benchmarks/strategies/relatives.py`). Digits that are drawn otherwise it takes for strangers. What
a chain over related tasks gains measures `benchmarks/strategies/progressive.py`.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from models.history.records import TaskDescription
from models.history.tuning_history import TuningHistory
from models.search.joint_space import UNFREEZE
from models.search.search_record import Relative

MOST_APART: Final = 0.3
"""Distance up to which tasks count as related."""


def distance(one: TaskDescription, other: TaskDescription) -> float | None:
    """How far apart the images of two tasks lie, in shares of the variance within one.

    None where it cannot be told: by other backbones or sizes, or of a task whose centre nobody
    took.
    """
    if not one.centre or len(one.centre) != len(other.centre) or _seen_by(one) != _seen_by(other):
        return None
    variance = (one.embedding.total_variance + other.embedding.total_variance) / 2
    between = float(((np.array(one.centre) - np.array(other.centre)) ** 2).sum())
    return between / variance if variance > 0.0 else None


def relatives(
    task: TaskDescription, name: str, histories: Iterable[tuple[str, TuningHistory]]
) -> tuple[Relative, ...]:
    """Related tasks on which a backbone was fine-tuned, the nearest first.

    Args:
        task: the new one.
        name: of its data; earlier searches on these are of the task itself.
        histories: of earlier searches, with the name of each.
    """
    found = []
    for called, history in histories:
        earlier, best = history.header.task, history.best
        is_other = earlier is not None and history.header.name != name
        if earlier is None or not is_other or best is None or not best.values.get(UNFREEZE):
            continue
        apart = distance(earlier, task)
        if apart is not None and apart <= MOST_APART:
            found.append(Relative(name=called, apart=apart))
    return tuple(sorted(found, key=lambda each: each.apart))


def _seen_by(task: TaskDescription) -> tuple[str, int, int]:
    return task.weights_digest, task.image_size, task.dimension
