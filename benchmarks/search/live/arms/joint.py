"""Graft's own search, and the training that goes on with its winner, as a run makes them."""

import shutil
from pathlib import Path
from typing import Final, Literal

from benchmarks.search.live.fine_tuned import fine_tuned, head_alone
from benchmarks.search.live.situation import Clock, Outcome, Situation
from components.past_searches.knowledge import Knowledge
from components.tuner.executor import search_with_past
from models.backbone_choice.model_settings import ChoiceSettings
from models.history.shipped import starter_version
from models.search.joint_search import JointSearch
from models.search.joint_space import candidate_of, in_words, is_frozen, with_choice
from models.search.prepared_backbone import PreparedBackbone
from models.search.search_settings import SearchSettings
from models.training.activations import of_process
from models.training.training_state import STATE_FILE

SEARCHED: Final = 0.65
"""Share of the time that is the search's budget; the rest is for the training that follows, and
for what the search pays before its first trial."""


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
    activations = of_process(Path(task.activations))
    prepared = PreparedBackbone(task, candidate_of(result.chosen), activations)
    if result.state is None:
        model = head_alone(prepared)
    else:
        scratch = situation.scratch / "training"
        scratch.mkdir()
        shutil.copyfile(result.state, scratch / STATE_FILE)
        record = next(each for each in result.history.completed if each.values == result.chosen)
        done = len(record.evaluations[-1].curve.scores)
        training = with_choice(task.training, result.chosen)
        model = fine_tuned(prepared, training, scratch, clock, done=done)
    tried = result.history.completed
    model.notes.update(
        searched_seconds=round(searched, 1),
        configurations=len(tried),
        fine_tunings=sum(not is_frozen(each.values) for each in tried),
        epochs_bought=sum(len(each.evaluations[-1].curve.scores) for each in tried),
        past=len(result.record.past),
        trusted=result.record.trusted,
        winner=in_words(result.chosen),
    )
    return model.judged(situation, clock)
