"""What a decision remembers from one look to the next."""

from pathlib import Path

from monitoring.decision import Past
from monitoring.decision_memory import DecisionMemory, Training, episode_of


def test_a_training_is_remembered_once(tmp_path: Path) -> None:
    memory = DecisionMemory(tmp_path / "decisions")
    assert memory.past(3, ()) == Past()
    memory.keep(3, Past(episode=100.0))
    begun = Training(episode_of(3, Past(episode=100.0)), 200.0)
    trained = memory.past(3, [begun])
    assert (trained.trained, trained.trained_episode, trained.unhelpful) == (200.0, 100.0, 1)
    memory.keep(3, trained)
    assert memory.past(3, [begun]) == trained


def test_a_training_that_came_to_nothing_is_told_once_it_has_ended(tmp_path: Path) -> None:
    memory = DecisionMemory(tmp_path / "decisions")
    memory.keep(3, Past(episode=100.0))
    begun = Training(episode_of(3, Past(episode=100.0)), 200.0)
    memory.keep(3, memory.past(3, [begun]))
    assert memory.past(3, [begun]).vain == ""
    memory.keep(3, memory.past(3, [begun._replace(vain="run a failed")]))
    assert memory.past(3, [begun._replace(vain="run a failed")]).vain == "run a failed"
    assert memory.past(3, [begun]).vain == ""  # it was tried again, and that is at work


def test_a_training_after_one_of_a_clock_that_was_ahead_is_remembered(tmp_path: Path) -> None:
    memory = DecisionMemory(tmp_path / "decisions")
    ahead = Training(episode_of(3, Past(episode=100.0)), 9e9)
    memory.keep(3, Past(episode=300.0, trained=9e9, trained_episode=100.0, unhelpful=1))
    after = memory.past(3, [ahead, Training(episode_of(3, Past(episode=300.0)), 400.0)])
    assert (after.trained, after.trained_episode, after.unhelpful) == (400.0, 300.0, 2)


def test_another_version_begins_an_episode_of_its_own(tmp_path: Path) -> None:
    memory = DecisionMemory(tmp_path / "decisions")
    memory.keep(3, Past(episode=100.0, trained=200.0, trained_episode=100.0, unhelpful=1))
    after = memory.past(4, ())
    assert (after.episode, after.trained_episode) == (None, None)
    assert (after.trained, after.unhelpful) == (200.0, 1)


def test_a_damaged_memory_is_begun_anew(tmp_path: Path) -> None:
    memory = DecisionMemory(tmp_path / "decisions")
    memory.keep(3, Past(episode=100.0))
    (tmp_path / "decisions").write_bytes(b"nothing of the kind")
    assert memory.past(3, ()) == Past()
