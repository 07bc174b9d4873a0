"""The trials of a history in the form in which Optuna tries them first."""

import json
from collections.abc import Mapping

from models.history.search_space import Values
from models.history.tuning_history import TuningHistory


def best_first(history: TuningHistory, names: Mapping[str, str] | None = None) -> list[Values]:
    """The hyperparameters of each trial that has a score, as `study.enqueue_trial` takes them.

    Args:
        history: of any search.
        names: Optuna's name by the history's name, where they differ; an empty one leaves the
            hyperparameter out.

    Returns:
        The best trial first; values that two trials have in common once.
    """
    renamed = names or {}
    sign = 1.0 if history.header.search.direction == "max" else -1.0
    ranked = sorted(history.completed, key=lambda trial: -sign * (trial.score or 0.0))
    found: dict[str, Values] = {}
    for trial in ranked:
        values = {renamed.get(name, name): value for name, value in trial.values.items()}
        values.pop("", None)
        found.setdefault(json.dumps(values, sort_keys=True), values)
    return list(found.values())
