"""The search for the settings of fine-tuning, with real fine-tunings of a tiny backbone."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from training_digits import digits_task, tiny_backbone

from models import progress
from models.head.task_description import Origin, describe
from models.history.records import Curve, Evaluation
from models.history.search_space import Choice
from models.history.tuning_history import read_history, write_history
from models.search.fine_tuning.fine_tuning_search import FineTuningResult, search_fine_tuning
from models.search.fine_tuning.fine_tuning_space import configured, fine_tuning_space
from models.search.fine_tuning.halving import promoted, rungs, standard_error, winner
from models.search.search_settings import SearchSettings
from models.search.standings import standings
from models.training.searched_settings import chosen_values, with_choice
from models.training.train import train
from models.training.training_task import TrainingTask


def evaluation(score: float, *, paused_after: int | None = None) -> Evaluation:
    """One whose log loss is nought, so that its accuracy is the score."""
    return Evaluation(
        seed=0,
        score=score,
        best_epoch=0,
        validation_loss=0.0,
        validation_accuracy=score,
        seconds=1.0,
        curve=Curve(train_loss=(0.0,), validation_loss=(0.0,), validation_accuracy=(score,)),
        paused_after=paused_after,
    )


@pytest.mark.parametrize(
    ("epochs", "trials", "expected"),
    [
        (6, 6, (2, 6)),
        (6, 27, (2, 6)),
        (6, 2, (6,)),
        (3, 9, (3,)),
        (1, 9, (1,)),
        (20, 6, (7, 20)),
        (20, 9, (3, 7, 20)),
    ],
)
def test_rungs_are_a_third_of_each_other_and_never_the_warm_up_alone(
    epochs: int, trials: int, expected: tuple[int, ...]
) -> None:
    assert rungs(epochs, trials) == expected


def test_the_best_third_goes_on_and_the_default_with_it() -> None:
    scores = {0: 0.1, 1: 0.5, 2: 0.9, 3: 0.7, 4: 0.2, 5: 0.3}
    assert promoted(scores, 0) == [2, 3, 0]
    assert promoted({**scores, 0: 0.8}, 0) == [2, 0]
    assert promoted({1: 0.5, 2: 0.9}, 0) == [2], "a default that diverged stays out"
    assert promoted({0: 0.9, 1: 0.5, 2: 0.1}, 0) == [], "there is nothing left to compare"


def test_only_a_gain_beyond_the_noise_replaces_the_default() -> None:
    default = evaluation(0.80)
    margin = standard_error(default, 400)
    assert margin == pytest.approx((0.8 * 0.2 / 400) ** 0.5, rel=0.01)
    assert winner({0: default, 1: evaluation(0.80 + 0.9 * margin)}, 0, 400) == 0
    assert winner({0: default, 1: evaluation(0.80 + 1.1 * margin)}, 0, 400) == 1
    assert winner({1: evaluation(0.3), 2: evaluation(0.4)}, 0, 400) == 2
    assert standard_error(evaluation(1.0), 10) > 0.05, "ten right images prove little"


def test_a_longer_training_is_no_merit_of_the_configuration() -> None:
    found = standings(
        {
            0: [evaluation(0.5, paused_after=2), evaluation(0.7)],
            1: [evaluation(0.6, paused_after=2), evaluation(0.8)],
            2: [evaluation(0.55, paused_after=2)],
        }
    )
    assert [found[order].mean for order in range(3)] == pytest.approx([0.5, 0.6, 0.55])


@pytest.fixture(scope="module")
def task(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingTask:
    """With a learning rate at which four epochs change next to nothing."""
    folder = tmp_path_factory.mktemp("task")
    return digits_task(
        digits_folder, folder, tiny_backbone(), epochs=4, learning_rate=2e-5, unfreeze=0.4
    )


def test_the_space_holds_the_configured_settings(task: TrainingTask) -> None:
    space = fine_tuning_space(task.settings, task.backbone.trunk)
    _, unfreeze, augment = space.parameters
    assert isinstance(unfreeze, Choice)
    assert isinstance(augment, Choice)
    assert unfreeze.values == (0.25, 0.4, 0.5, 0.75)
    assert augment.values == ("off", "on")
    values = configured(task.settings, space)
    assert with_choice(task.settings, values).learning_rate == pytest.approx(2e-5)
    assert with_choice(task.settings, {}) == task.settings
    assert values == pytest.approx(chosen_values(task.settings))


@dataclass
class Search:
    """A search that was interrupted and taken up, and the epochs that were trained then."""

    folder: Path
    result: FineTuningResult
    epochs: int


SETTINGS = SearchSettings(fine_tune_trials=3)


def search(task: TrainingTask, folder: Path, stop_at: int = 0) -> tuple[FineTuningResult, int]:
    """Searches, or is interrupted in an epoch; counts the epochs."""
    count = 0

    def tell(told: progress.Progress) -> None:
        nonlocal count
        count += told.unit == "epochs"
        if told.unit == "epochs" and count == stop_at:
            raise KeyboardInterrupt

    origin = Origin("EfficientNetLite0", "imagenet", "0" * 64, 64, "f" * 64)
    description = describe(task.embeddings, origin)
    with progress.listening(tell):
        return search_fine_tuning(task, description, SETTINGS, folder, name="digits"), count


@pytest.fixture(scope="module")
def searched(task: TrainingTask, tmp_path_factory: pytest.TempPathFactory) -> Search:
    """Interrupted in the second epoch of the second trial."""
    folder = tmp_path_factory.mktemp("search")
    with pytest.raises(KeyboardInterrupt):
        search(task, folder, stop_at=4)
    result, epochs = search(task, folder)
    return Search(folder, result, epochs)


def test_the_best_are_trained_on_from_where_they_paused(searched: Search) -> None:
    trials = searched.result.history.trials
    assert [trial.evaluations[0].paused_after for trial in trials] == [2, 2, 2]
    whole = [trial.evaluations for trial in trials if len(trial.evaluations) > 1]
    assert len(whole) == 2, "the best, and the default, which is not"
    for first, last in whole:
        assert last.paused_after is None
        assert last.curve.validation_loss[:2] == first.curve.validation_loss
        assert len(last.curve.validation_loss) == 4


def test_the_first_trial_is_the_training_as_configured(
    searched: Search, task: TrainingTask, tmp_path: Path
) -> None:
    first = searched.result.history.trials[0]
    assert first.values == pytest.approx(chosen_values(task.settings))
    record = train(replace(task, scratch=tmp_path)).record.to_values()
    top = record["history"]["val_loss"][record["phases"][1]["first_epoch"] :]
    assert first.evaluations[1].curve.validation_loss == pytest.approx(top, rel=1e-4)


def test_what_is_chosen_is_never_worse_than_the_default(
    searched: Search, task: TrainingTask
) -> None:
    history = searched.result.history
    assert history.best is not None
    gain = history.best.evaluations[-1].score - history.trials[0].evaluations[-1].score
    assert gain >= 0.0
    assert bool(searched.result.chosen) == (history.best is not history.trials[0])


def test_an_interrupted_search_repeats_no_finished_epoch(
    searched: Search, task: TrainingTask
) -> None:
    # One epoch of the second trial, two of the third, two more of the best and of the default.
    assert searched.epochs == 1 + 2 + 2 * 2
    again, epochs = search(task, searched.folder)
    assert epochs == 0
    assert again.history.trials == searched.result.history.trials
    assert not list(searched.folder.rglob("*.np[yz]")), "states and activations are deleted"


def test_later_searches_start_from_the_history(searched: Search, tmp_path: Path) -> None:
    write_history(tmp_path / "history.jsonl", searched.result.history)
    history = read_history(tmp_path / "history.jsonl")
    assert history == searched.result.history
    assert history.header.search.subject == "fine_tuning"
    assert [proposal.origin for proposal in searched.result.contribution.proposals] == ["cold"] * 3
