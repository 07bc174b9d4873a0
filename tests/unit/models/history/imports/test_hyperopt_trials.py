"""Trials that Hyperopt made, as JSON."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from foreign_pasts import FOLDER

from models.history.imports.foreign_past import ForeignPastError
from models.history.imports.import_histories import import_histories, kind_of

PLAIN = FOLDER / "hyperopt.json"
WITH_CHOICES = FOLDER / "hyperopt_params.json"


def documents() -> list[dict[str, Any]]:
    return list(json.loads(WITH_CHOICES.read_text()))


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_documents_with_their_choices_become_a_history() -> None:
    assert kind_of(WITH_CHOICES) == "hyperopt"
    (history,) = import_histories(WITH_CHOICES).histories
    assert (history.header.search.metric, history.header.search.direction) == ("loss", "min")
    read = documents()
    assert [trial.score for trial in history.trials] == [
        each["result"].get("loss") for each in read
    ]
    assert history.trials[0].values == {
        "act": "tanh",
        "layers": 1,
        "learning_rate": read[0]["params"]["lr"],
        "units": 72.0,
    }
    failed = [trial for trial in history.trials if trial.status == "failed"]
    assert [trial.order for trial in failed] == [1, 2, 3, 9]
    assert {trial.message for trial in failed} == {"fail"}


def test_a_line_for_each_document_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "hyperopt_params.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in documents()))
    assert kind_of(path) == "hyperopt"
    assert import_histories(path).histories == import_histories(WITH_CHOICES).histories


def test_a_long_file_is_known_by_its_beginning(tmp_path: Path) -> None:
    path = write(tmp_path / "trials.json", documents() * 300)
    assert path.stat().st_size > 2**20
    assert kind_of(path) == "hyperopt"


def test_places_in_a_list_are_not_taken_for_numbers(tmp_path: Path) -> None:
    with pytest.raises(ForeignPastError, match=r"'act' has whole numbers.*space_eval"):
        import_histories(PLAIN)
    numbers = {"act": "", "layers": "layers"}
    (history,) = import_histories(PLAIN, names=numbers).histories
    assert history.trials[0].values["layers"] == 1
    assert "act" not in history.trials[0].values


def test_trials_that_go_on_are_passed_over(tmp_path: Path) -> None:
    going_on = [
        {**each, "state": 1} if place == 0 else each for place, each in enumerate(documents())
    ]
    imported = import_histories(write(tmp_path / "trials.json", going_on))
    assert len(imported.histories[0].trials) == 9
    assert imported.notes == ("trials: 1 trials that had not ended were passed over.",)


def test_another_figure_of_the_result_may_be_the_score(tmp_path: Path) -> None:
    read = documents()
    for each in read:
        each["result"]["accuracy"] = 0.5
    path = write(tmp_path / "trials.json", read)
    assert import_histories(path).histories[0].header.search.metric == "loss"
    (history,) = import_histories(path, metric="accuracy").histories
    assert history.header.search.direction == "max"


class _Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return (Path.touch, (self.target,))


@pytest.mark.parametrize("kind", [None, "hyperopt", "csv", "optuna"])
def test_a_pickle_is_not_opened(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "trials.pkl"
    path.write_bytes(pickle.dumps(_Trap(tmp_path / "sprung")))
    with pytest.raises(ForeignPastError) as caught:
        import_histories(path, kind=kind)
    assert kind or "is a pickle" in str(caught.value)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [[], [7], [{"tid": 1}], {"tid": 1}, "x"])
def test_other_json_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(ForeignPastError):
        import_histories(write(tmp_path / "trials.json", content), kind="hyperopt")


def test_nothing_of_hostile_documents_is_believed(tmp_path: Path) -> None:
    strange: list[Any] = [[], {}, "x", None, 10**400, True, [[]]]
    read = documents()
    for each, odd in zip(read, strange, strict=False):
        each |= {"state": odd, "book_time": odd, "refresh_time": odd, "misc": odd, "params": odd}
    for odd in strange:
        read.append({**documents()[0], "result": odd})
        read.append({**documents()[0], "result": {"loss": odd, "status": odd}})
    path = write(tmp_path / "trials.json", [{**each, "params": None} for each in read])
    names = {"act": "", "layers": ""}
    (history,) = import_histories(path, names=names).histories
    assert {trial.score for trial in history.completed} <= {
        each["result"].get("loss") for each in documents()
    }
