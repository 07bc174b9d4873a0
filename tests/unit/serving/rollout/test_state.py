"""The state of a rollout: its ways, and its file."""

from pathlib import Path

import pytest

from models.errors import GraftError, UsageError
from serving.rollout.state import Phase, Rollout, RolloutFile


def test_the_way_to_promotion_and_the_way_back() -> None:
    begun = Rollout(stable=1).begin(2, share=10, copies=20)
    assert (begun.phase, begun.canary, begun.number) == (Phase.STARTING, 2, 1)
    promoted = begun.watching().promote("good").settled()
    assert promoted == Rollout(stable=2, number=1, reason="good")
    back = begun.roll_back("bad").settled()
    assert back == Rollout(stable=1, number=1, reason="bad", refused=(2,))


def test_a_promotion_that_cannot_be_goes_back() -> None:
    promoting = Rollout(stable=1).begin(2, 10, 10).watching().promote("good")
    back = promoting.turn_back("does not load").settled()
    assert back == Rollout(stable=1, number=1, reason="does not load", refused=(2,))


def test_a_canary_that_is_not_to_blame_is_not_refused() -> None:
    ended = Rollout(stable=1).begin(2, 10, 10).watching().end("no stable").settled()
    assert ended == Rollout(stable=1, number=1, reason="no stable", is_blameless=True)
    again = ended.begin(2, 10, 10).watching().roll_back("bad").settled()
    assert (again.refused, again.is_blameless) == ((2,), False)


def test_what_holds_the_gateway_up_is_put_down(tmp_path: Path) -> None:
    file = RolloutFile(tmp_path)
    file.note("away")
    assert file.read() is None
    file.create(Rollout(stable=1))
    for words in ("away", ""):
        file.note(words)
        assert file.read() == Rollout(stable=1, trouble=words)


def test_what_does_not_follow_is_refused() -> None:
    begun = Rollout(stable=1).begin(2, 10, 10)
    with pytest.raises(UsageError, match="Version 2 is being rolled out"):
        begun.begin(3, 10, 10)
    with pytest.raises(UsageError, match="No canary answers"):
        begun.promote("")
    with pytest.raises(UsageError, match="no canary to roll back"):
        begun.watching().promote("").roll_back("")
    with pytest.raises(UsageError, match="stable one already"):
        Rollout(stable=1).begin(1, 10, 10)


def test_the_file(tmp_path: Path) -> None:
    file = RolloutFile(tmp_path / "gateway")
    assert file.read() is None
    with pytest.raises(UsageError, match="`graft gateway` starts one"):
        file.change(lambda state: state)
    state = file.create(Rollout(stable=1))
    assert file.create(Rollout(stable=9)) == state
    changed = file.change(lambda state: state.begin(2, 10, 10))
    assert file.read() == changed
    with pytest.raises(UsageError):
        file.change(lambda state: state.promote(""))
    assert file.read() == changed


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"stable": 1, "phase": "x"}'])
def test_a_damaged_file_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "rollout.json").write_text(content)
    with pytest.raises(GraftError, match="should hold the state of a rollout"):
        RolloutFile(tmp_path).read()
