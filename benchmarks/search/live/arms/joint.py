"""Graft's own search, and the training that goes on with its winner, as a run makes them."""

import shutil
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from benchmarks.search.live.judging import judge
from benchmarks.search.live.situation import Clock, Outcome, Situation
from components.past_searches.knowledge import Knowledge
from components.tuner.executor import search_with_past
from models.backbone_choice.model_settings import ChoiceSettings
from models.history.shipped import starter_version
from models.search.costs import Costs
from models.search.joint_search import JointSearch, SearchResult
from models.search.joint_space import candidate_of, in_words, is_frozen, with_choice
from models.search.prepared_backbone import PreparedBackbone
from models.search.search_settings import SearchSettings
from models.training.activations import of_process
from models.training.network_refit import EPOCHS as REFIT_EPOCHS
from models.training.train import train
from models.training.training_state import STATE_FILE

SEARCHED: Final = 0.8
"""Share of the time that is the search's budget; the rest is for the training that follows, and
for what the search pays before its first trial."""
_USED: Final = 0.8
"""Of the time that is left for that training; the rest is for what comes before its first epoch."""
_REFIT: Final = 2 * REFIT_EPOCHS
"""Epochs whose time the last ones take at most, as they see more images in more views."""


def warm(situation: Situation, clock: Clock) -> Outcome:
    """With what comes with Graft, but for what shares an image with the task."""
    return _searched_and_trained(situation, clock, "warm")


def cold(situation: Situation, clock: Clock) -> Outcome:
    """Without a past."""
    return _searched_and_trained(situation, clock, "cold")


def _searched_and_trained(
    situation: Situation, clock: Clock, algorithm: Literal["warm", "cold"]
) -> Outcome:
    task = situation.task()
    settings = SearchSettings(budget=SEARCHED * situation.seconds, algorithm=algorithm)
    search = JointSearch(task, settings, situation.scratch / "search")
    result = search_with_past(
        search,
        task,
        knowledge=Knowledge(starter=starter_version() if algorithm == "warm" else ""),
        price=ChoiceSettings().price,
    )
    searched = clock.spent
    tried = result.history.completed
    notes = {
        "searched_seconds": round(searched, 1),
        "configurations": len(tried),
        "fine_tunings": sum(not is_frozen(each.values) for each in tried),
        "epochs_bought": sum(len(each.evaluations[-1].curve.scores) for each in tried),
        "past": len(result.record.past),
        "trusted": result.record.trusted,
        "winner": in_words(result.chosen),
    }
    return _trained(situation, clock, search.costs, result, notes)


def _trained(
    situation: Situation, clock: Clock, costs: Costs, result: SearchResult, notes: dict[str, Any]
) -> Outcome:
    """Goes on with the winner for what fits into the time, and judges what a run would export."""
    task = situation.task()
    scratch = situation.scratch / "training"
    scratch.mkdir()
    if result.state is not None:
        shutil.copyfile(result.state, scratch / STATE_FILE)
    prepared = PreparedBackbone(
        task, candidate_of(result.chosen), of_process(Path(task.activations))
    )
    training = with_choice(task.training, result.chosen)
    epochs = max(1, min(training.epochs, _epochs_within(clock, costs, result)))
    settings = training.model_copy(update={"epochs": epochs})
    trained = train(replace(prepared.training(settings, scratch), is_searched=True))
    record = trained.record
    notes |= {
        "epochs": sum(len(phase.epochs) for phase in record.phases[1:]),
        "validation_accuracy": record.validation_accuracy,
        "refitted_images": record.refitted_images,
    }
    words = f"{record.exported} of: {in_words(result.chosen)}"
    return judge(trained.model, prepared.spec, situation, clock, words, notes)


def _epochs_within(clock: Clock, costs: Costs, result: SearchResult) -> int:
    """Epochs, those of the search included, that leave time for the last ones with all images."""
    if is_frozen(result.chosen):
        return 1
    seconds = [
        second
        for each in result.history.completed
        if each.values == result.chosen
        for second in each.evaluations[-1].curve.seconds
    ]
    each = statistics.median(seconds) if seconds else costs.epoch(result.chosen)
    return len(seconds) + int(_USED * clock.left / each) - _REFIT
