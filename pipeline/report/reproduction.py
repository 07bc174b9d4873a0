"""Whether a run came to the weights of an earlier one with the same seed, settings and data."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.report.artifacts import Artifacts, Json
from pipeline.report.run_record import RunRecord
from pipeline.run_folder import SUMMARY

_SECTIONS: Final = ("seed", "model", "choice", "tuning", "training")
"""Of the configuration: what a training depends on, beside the data."""
_TRAINER: Final = "Trainer"
_CLOCK: Final = (
    "the search goes by the clock, and so may what it chooses (tuning.budget: 0 searches nothing)"
)
_GPU: Final = "a GPU adds up in an order that is not fixed"
_DIFFERENT: Final = {
    "code": "Graft's code was another one",
    "versions": "libraries had other versions",
    "machine": "it was another machine, or computed otherwise",
}
"""What a training was made with to what is said where that differs."""


@dataclass(frozen=True)
class Reproduction:
    """What `summary.json` says of it.

    Attributes:
        weights: SHA-256 over the values of the trained model's weights, hex; None without a model.
        recipe: SHA-256 of the seed, the configuration and the data that they come from.
        made_with: `code`, `versions` and `machine` of the training.
        run: the earlier run that was compared; None for none.
        same: whether it has the same weights; None where none was compared.
        prevented_by: what is known to keep a training from giving the same weights again.
        words: all of it in a sentence or two; empty without a model.
    """

    weights: str | None = None
    recipe: str | None = None
    made_with: Json | None = None
    run: str | None = None
    same: bool | None = None
    prevented_by: tuple[str, ...] = ()
    words: str = ""


def reproduction(run: RunRecord, found: Artifacts, runs: Path) -> Reproduction:
    """Compares a run with the newest earlier one that should have come to the same weights.

    Args:
        run: what is known of it.
        found: what its components left.
        runs: folder of all runs of the workspace.
    """
    weights = found.lineage.get("model_digest")
    if not weights:
        return Reproduction()
    made_with = {
        "code": found.lineage.get("code"),
        "versions": found.lineage.get("versions"),
        "machine": found.training.get("machine"),
    }
    recipe = _recipe(run, found)
    hindrances = _hindrances(found)
    if any(stage.name == _TRAINER and stage.cached for stage in run.stages):
        words = "The model was taken from an earlier run, and not trained again."
        return Reproduction(weights, recipe, made_with, prevented_by=hindrances, words=words)
    for name, earlier in _earlier(runs, run.run_id):
        if earlier.get("recipe") == recipe and earlier.get("weights"):
            same = earlier["weights"] == weights
            if not same:
                hindrances = (*hindrances, *_differences(earlier.get("made_with"), made_with))
            words = _compared(name, same, hindrances)
            return Reproduction(weights, recipe, made_with, name, same, hindrances, words)
    return Reproduction(
        weights, recipe, made_with, prevented_by=hindrances, words=_alone(hindrances)
    )


def _recipe(run: RunRecord, found: Artifacts) -> str:
    parts = {name: run.config.get(name) for name in _SECTIONS}
    parts["data"] = found.ingest.get("fingerprint")
    # Both depend on the model that was blessed last, too.
    parts["split"] = found.lineage.get("data_fingerprint")
    parts["begun_from"] = found.lineage.get("begun_from")
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _hindrances(found: Artifacts) -> tuple[str, ...]:
    """What keeps even this very machine from doing it again."""
    is_timed = found.search is not None and found.search.budget > 0
    has_gpu = bool((found.training.get("machine") or {}).get("gpus"))
    return tuple(words for words, holds in ((_CLOCK, is_timed), (_GPU, has_gpu)) if holds)


def _differences(earlier: Any, now: Json) -> Iterable[str]:
    before = earlier if isinstance(earlier, dict) else {}
    return (words for key, words in _DIFFERENT.items() if before.get(key) != now[key])


def _earlier(runs: Path, before: str) -> Iterator[tuple[str, Json]]:
    """What earlier runs said of it, the newest first."""
    folders = [path for path in runs.iterdir() if path.name < before] if runs.is_dir() else []
    for folder in sorted(folders, reverse=True):
        try:
            said = json.loads((folder / SUMMARY).read_bytes()).get("reproduction")
        except (OSError, ValueError, AttributeError, RecursionError):
            continue
        if isinstance(said, dict):
            yield folder.name, said


def _compared(name: str, same: bool, hindrances: tuple[str, ...]) -> str:
    if same:
        return f"Same seed, configuration and data as run {name}, and the same weights, bit by bit."
    why = "; ".join(hindrances) or "nothing that is known explains it: the machine may be at fault"
    return f"Same seed, configuration and data as run {name}, but other weights: {why}."


def _alone(hindrances: tuple[str, ...]) -> str:
    none = "No earlier run had this seed, configuration and data."
    if hindrances:
        return f"{none} The same again may come to other weights: {'; '.join(hindrances)}."
    return f"{none} On this machine the same again comes to the same weights."
