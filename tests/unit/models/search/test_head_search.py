from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from counting_trainer import CountingTrainer

from models import progress
from models.errors import GraftError, UsageError
from models.head.frozen_head import train_frozen_head
from models.head.frozen_probe import train_probe
from models.head.head_trainer import HeadTrainer
from models.head.hyperparameters import HeadParameters
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.task_description import Origin, describe
from models.history.importance import importance
from models.history.past_search import PastSearch
from models.history.tuning_history import TuningHistory
from models.oracles.algorithms import build_oracle
from models.search.head_search import SearchResult, search_heads
from models.search.search_settings import SearchSettings

MakeSettings = Callable[..., SearchSettings]


@pytest.fixture(scope="module")
def trainer(digits_task: HeadTask) -> CountingTrainer:
    return CountingTrainer(digits_task)


@pytest.fixture
def search(
    trainer: CountingTrainer, digits_task: HeadTask, digits_origin: Origin, tmp_path: Path
) -> Callable[..., SearchResult]:
    def run(settings: SearchSettings, **options: Any) -> SearchResult:
        description = describe(digits_task, digits_origin)
        return search_heads(trainer, description, settings, tmp_path / "scratch", **options)

    return run


@pytest.mark.parametrize("parallel", [1, 2])
def test_the_search_of_the_pipeline_does_not_wait_for_other_machines(
    search: Callable[..., SearchResult],
    small_search: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    parallel: int,
) -> None:
    for name, value in (("IP", "127.0.0.1"), ("PORT", "1")):
        monkeypatch.setenv(f"KERASTUNER_ORACLE_{name}", value)
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "worker1")
    with pytest.raises(
        UsageError, match=r"KERASTUNER_ORACLE_IP is set.*with tuning.serve others may join"
    ):
        search(small_search(parallel=parallel))


def scores(history: TuningHistory) -> list[tuple[Any, float | None]]:
    return [(trial.values, trial.score) for trial in history.trials]


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "warm"])
def test_a_search_records_every_trial_and_its_best(
    search: Callable[..., SearchResult], small_search: MakeSettings, algorithm: str
) -> None:
    reports: list[progress.Progress] = []
    with progress.listening(reports.append):
        result = search(small_search(trials=9, algorithm=algorithm))
    history = result.history
    assert [trial.order for trial in history.trials] == list(range(9))
    assert all(trial.status == "completed" for trial in history.trials)
    assert len({str(trial.values) for trial in history.trials}) == 9
    best = history.best
    assert best is not None
    assert result.hyperparameters.values == best.values
    assert best.score == max(trial.score or -1 for trial in history.trials)
    assert best.evaluations[0].validation_accuracy > 0.85
    assert [(each.done, each.total, each.unit) for each in reports] == [
        (done, 9, "trials") for done in range(1, 10)
    ]
    assert reports[-1].note.startswith("best validation accuracy 0.")
    assert history.header.task is not None
    assert history.header.task.classes == 10
    assert history.header.search.algorithm == algorithm


def test_a_warm_search_learns_from_an_earlier_one_and_says_so(
    search: Callable[..., SearchResult], small_search: MakeSettings
) -> None:
    earlier = search(small_search(trials=8), seed=1, name="digits").history
    assert earlier.header.name == "digits"
    past = [PastSearch.from_history(earlier, "digits, yesterday")]
    settings = small_search(trials=5, algorithm="warm", cold_every=3)
    result = search(settings, past=past)
    told = result.contribution
    assert told is not None
    assert [source.name for source in told.sources] == ["digits, yesterday"]
    assert [proposal.origin for proposal in told.proposals].count("cold") == 2
    assert {proposal.order: proposal.score for proposal in told.proposals} == {
        trial.order: trial.score for trial in result.history.trials
    }
    assert scores(search(settings, past=past).history) == scores(result.history)
    cold = search(small_search(trials=2, algorithm="bayesian"), past=past)
    assert cold.contribution is None


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "warm"])
def test_a_second_search_trains_only_what_is_new(
    search: Callable[..., SearchResult],
    small_search: MakeSettings,
    trainer: CountingTrainer,
    algorithm: str,
) -> None:
    first = search(small_search(trials=3, algorithm=algorithm)).history
    before = trainer.trained
    assert scores(search(small_search(trials=3, algorithm=algorithm)).history) == scores(first)
    assert trainer.trained == before
    longer = search(small_search(trials=5, algorithm=algorithm)).history
    assert trainer.trained == before + 2
    assert scores(longer)[:3] == scores(first)


@pytest.mark.parametrize(
    ("changes", "options"),
    [({}, {"seed": 1}), ({"epochs": 2}, {}), ({}, {"patience": 4}), ({}, {"code": "b"})],
)
def test_trials_of_another_kind_are_not_taken_over(
    search: Callable[..., SearchResult],
    small_search: MakeSettings,
    trainer: CountingTrainer,
    changes: dict[str, Any],
    options: dict[str, Any],
) -> None:
    search(small_search(trials=1))
    before = trainer.trained
    search(small_search(trials=1, **changes), **options)
    assert trainer.trained == before + 1


def test_trials_with_other_class_weights_are_not_taken_over(
    small_search: MakeSettings, digits_task: HeadTask, digits_origin: Origin, tmp_path: Path
) -> None:
    for kind in ("balanced", "none"):
        trainer = CountingTrainer(digits_task, kind)
        description = describe(digits_task, digits_origin)
        search_heads(trainer, description, small_search(trials=1), tmp_path)
        assert trainer.trained == 1


@pytest.mark.parametrize("algorithm", ["random", "warm"])
@pytest.mark.parametrize("damage", [b"", b'{"seed": 0, "score":', b"{}", b"\x00" * 50])
def test_a_damaged_trial_is_made_again(
    search: Callable[..., SearchResult],
    small_search: MakeSettings,
    trainer: CountingTrainer,
    tmp_path: Path,
    damage: bytes,
    algorithm: str,
) -> None:
    first = search(small_search(trials=2, algorithm=algorithm)).history
    kept = next((tmp_path / "scratch").glob("*/trials/*.json"))
    kept.write_bytes(damage)
    for leftover in (tmp_path / "scratch").glob("*/keras_tuner/**/*.json"):
        leftover.write_bytes(damage)
    before = trainer.trained
    assert scores(search(small_search(trials=2, algorithm=algorithm)).history) == scores(first)
    assert trainer.trained == before + 1


@pytest.mark.parametrize("algorithm", ["random", "warm"])
def test_failed_trials_are_recorded_and_do_not_end_the_search(
    digits_task: HeadTask,
    digits_origin: Origin,
    small_search: MakeSettings,
    tmp_path: Path,
    algorithm: str,
) -> None:
    class Fragile(HeadTrainer):
        """Runs out of memory on wide heads."""

        def train(self, parameters: Any, **kwargs: Any) -> Any:
            if parameters.hidden_units:
                raise MemoryError(f"no room for {parameters.hidden_units} units")
            return super().train(parameters, **kwargs)

    settings = small_search(trials=12, hidden_units=(0, 16, 17, 18), epochs=1, algorithm=algorithm)
    history = search_heads(
        Fragile(digits_task), describe(digits_task, digits_origin), settings, tmp_path
    ).history
    failed = [trial for trial in history.trials if trial.status == "failed"]
    assert len(history.trials) == 12
    assert 1 <= len(failed) < 12
    assert all(trial.values["hidden_units"] for trial in failed)
    assert all("no room for" in trial.message for trial in failed)
    assert all(trial.score is None and not trial.evaluations for trial in failed)


def test_a_search_in_which_all_trials_fail_is_an_error(
    search: Callable[..., SearchResult], small_search: MakeSettings
) -> None:
    settings = small_search(trials=5, learning_rate=(1e38, 1e38), weight_decay=(1e38, 1e38))
    with pytest.raises(GraftError, match=r"None of 5 trials came out: .*diverged"):
        search(settings)


def test_any_oracle_may_propose(
    search: Callable[..., SearchResult], small_search: MakeSettings
) -> None:
    settings = small_search(trials=4)
    oracle = build_oracle("random", settings.space, trials=2, seed=9)
    assert len(search(settings, oracle=oracle).history.trials) == 2


def test_settings_travel_as_json() -> None:
    settings = SearchSettings.model_validate({"trials": 7, "dropout": (0.0, 0.1)})
    text = settings.to_json()
    assert SearchSettings.from_json(text) == settings
    assert SearchSettings.from_json(settings.to_json("trials")).trials == SearchSettings().trials
    assert len(settings.space.parameters) == 6
    for broken in ('{"trials": 0}', "[]", "no", text.replace("trials", "trails")):
        with pytest.raises(UsageError, match="SearchSettings cannot be read"):
            SearchSettings.from_json(broken)


def test_the_probe_is_the_best_frozen_head_on_the_test_images(
    search: Callable[..., SearchResult],
    small_search: MakeSettings,
    trainer: CountingTrainer,
    digits_test: LabelledEmbeddings,
) -> None:
    history = search(small_search(trials=3, epochs=8)).history
    best = history.best
    assert best is not None
    probe = train_probe(trainer, history, digits_test)
    parameters = HeadParameters.from_values(best.values)
    frozen = train_frozen_head(trainer, parameters, epochs=8, patience=5, seed=0)
    assert probe.parameters == frozen.parameters
    assert probe.validation_accuracy == frozen.answers.accuracy
    assert probe.validation_accuracy >= best.evaluations[0].validation_accuracy - 0.02
    assert probe.test_probabilities.shape == (len(digits_test.classes), 10)
    assert probe.test_accuracy is not None
    assert probe.test_accuracy > 0.8
    none = LabelledEmbeddings(digits_test.embeddings[:0], digits_test.classes[:0])
    assert train_probe(trainer, history, none).test_accuracy is None


def test_importance_finds_what_mattered(
    search: Callable[..., SearchResult], small_search: MakeSettings
) -> None:
    # With one epoch, a rate of 1e-4 learns next to nothing and 1e-1 nearly all.
    history = search(small_search(trials=25, epochs=1, hidden_units=(0,))).history
    shares = importance(history)
    assert next(iter(shares)) == "learning_rate"
    assert shares["learning_rate"] > 0.4
    assert shares["hidden_units"] == 0
    assert sum(shares.values()) == pytest.approx(1)


def test_importance_is_silent_on_a_few_trials(
    search: Callable[..., SearchResult], small_search: MakeSettings
) -> None:
    assert importance(search(small_search(trials=3, epochs=1)).history) == {}
