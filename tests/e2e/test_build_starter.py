"""The script that makes the starter library, on a small data set."""

from pathlib import Path

import pytest

from benchmarks.warm_start.build_starter import main
from models.history import shipped
from models.history.collection import collect


@pytest.mark.slow
def test_it_makes_histories_with_a_sample_of_their_images(
    digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "starter"
    command = [
        str(digits_folder), "--variants", "few", "--trials", "5",
        "--cache", str(tmp_path / "cache"), "--out", str(out),
    ]  # fmt: skip
    assert main(command) == 0
    name = f"{digits_folder.name}-few"
    (entry,) = collect([("", out)]).entries
    assert entry.name.startswith(f"{name} (starter), ")
    assert len(entry.history.completed) == 5
    assert (out / f"{name}.jsonl").stat().st_size < 20_000

    monkeypatch.setattr(shipped, "FOLDER", out)
    assert len(shipped.read_samples()[f"{name}.jsonl"]) == 64
    assert shipped.unrelated_files(["0" * 64])[1] == []

    # A second time everything is there: the same trials, however often.
    first = [(trial.values, trial.score) for trial in entry.history.trials]
    assert main(command) == 0
    (again,) = collect([("", out)]).entries
    assert [(trial.values, trial.score) for trial in again.history.trials] == first
