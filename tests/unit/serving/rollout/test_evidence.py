"""What of nginx's lines counts, and how often it is read."""

import json
from pathlib import Path
from typing import Any

from serving.rollout.evidence import Evidence, add_pair
from serving.rollout.judge import Answer, Judge

LINE = {
    "variant": "canary", "label": "", "status": 200, "grpc_status": "",
    "upstream_status": "200", "upstream_seconds": "0.020", "seconds": 0.021,
}  # fmt: skip


class Heard(Judge):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[Any, ...]] = []

    def request(self, *told: Any) -> None:
        self.heard.append(told)

    def past(self, *told: Any) -> None:
        self.heard.append(("past", *told))

    def pair(self, *told: Any) -> None:
        self.heard.append(("pair", *told))


def _heard(folder: Path, *changes: dict[str, Any]) -> list[tuple[Any, ...]]:
    log = folder / "evidence.jsonl"
    log.write_text("".join(json.dumps({**LINE, **change}) + "\n" for change in changes))
    judge = Heard()
    Evidence(folder / "1", log, 0.1, judge).read_on()
    return judge.heard


def test_what_fails(tmp_path: Path) -> None:
    failures: list[dict[str, Any]] = [
        {"status": 500, "upstream_status": "500"},
        {"status": 400, "upstream_status": "400"},
        {"grpc_status": "14"},
        {"status": 200, "upstream_status": "502 : 200", "upstream_seconds": "0.020 : 0.010"},
    ]
    assert _heard(tmp_path, *failures) == [(True, True, 0.02, 0.1)] * 4


def test_what_does_not(tmp_path: Path) -> None:
    answers: list[dict[str, Any]] = [{}, {"grpc_status": "0"}, {"grpc_status": "1"},
               {"status": 499, "upstream_status": "499"}]  # fmt: skip
    assert _heard(tmp_path, *answers) == [(True, False, 0.02, 0.1)] * 4
    assert _heard(tmp_path, {"variant": "stable"}) == [(False, False, 0.02, 0.1)]


def test_what_chance_did_not_choose_does_not_count(tmp_path: Path) -> None:
    others: list[dict[str, Any]] = [{"label": "canary"}, {"upstream_status": "", "status": 429}]
    assert _heard(tmp_path, *others) == []


def test_lines_are_read_once_and_when_they_are_whole(tmp_path: Path) -> None:
    log, judge = tmp_path / "evidence.jsonl", Heard()
    evidence = Evidence(tmp_path / "1", log, 0.1, judge)
    evidence.read_on()
    assert judge.heard == []
    text = json.dumps(LINE)
    log.write_text(f"{text}\n\x00 damaged\n{text[:30]}")
    evidence.read_on()
    evidence.read_on()
    assert len(judge.heard) == 1
    log.write_text(f"{text}\n\x00 damaged\n{text}\n")
    evidence.read_on()
    assert len(judge.heard) == 2
    add_pair(evidence.pairs, Answer("cat", 0.9), None)
    evidence.read_on()
    assert judge.heard[-1] == ("pair", Answer("cat", 0.9), None)


def test_the_past_is_kept_as_it_was(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    log.write_text("".join(f"{json.dumps({**LINE, 'variant': 'stable'})}\n" for _ in range(5)))
    heard = []
    for _ in range(2):
        judge = Heard()
        Evidence(tmp_path / "1", tmp_path / "evidence.jsonl", 0.1, judge).start(log)
        heard.append(judge.heard)
        with log.open("a") as file:
            file.write(json.dumps(LINE) + "\n")
    assert heard[0] == heard[1]
    assert heard[0][0] == ("past", False, 0.02)
