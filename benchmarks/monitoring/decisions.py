"""Does the decision come out right, replayed many times on real images?

A reference of half of the held-out images; the other half comes as a stream, in an order of its
own for each seed, and is looked at after every 50 images, as by a scheduler.

- quiet: a month in which nothing changes; right is "nothing" at each look.
- harmless: changed after 100 images so that the accuracy falls by less than 3 points; right is
  "nothing" at each look.
- harmful: changed so that it falls by more than 10 points; right is "retrain" after 300 changed
  images.
- black, swapped, empty: black frames, red and blue swapped, empty bodies; right is "page" after
  300 images.

What was replayed is kept; a second call goes on. `--draw` takes another draw of what was done to
the pictures of the reference that were made worse on purpose.

    ./dev bench monitoring/decisions --data digits DATA/clothing DATA/cifar10 --seeds 100
"""

import argparse
import copy
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np
from kept import Kept
from label_free import HELD_BACK, SHIFTS
from streams import Answers, ServedSet, observations

from monitoring.data_faults import Traffic
from monitoring.decision import decide
from monitoring.evidence.drift_settings import DriftSettings
from monitoring.watch import Watch

_BEFORE, _AFTER, _STEP = 100, 300, 50
_BEARABLE, _HARM = 0.03, 0.10
_MILD: Final = ("brighter-1", "darker-1", "contrast-1", "noise-1", "grey-1", "jpeg-1")
"""Looked at too where a harmless shift is wanted; nearly all others do harm to photos."""
_AT_EACH_LOOK: Final = {"quiet": "nothing", "harmless": "nothing"}
_IN_THE_END: Final = {"harmful": "retrain"}


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=1_000, help="others served to develop")
    parser.add_argument("--draw", type=int, default=0, help="of what pictures are made worse by")
    parser.add_argument("--held-back", action="store_true", help="other shifts")
    parser.add_argument("--minutes", type=float, default=1e9, help="to stop after, and go on later")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/monitoring"))
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    name = "decisions" + ("-held" if options.held_back else "")
    name += f"-{options.draw}" if options.draw else ""
    kept = Kept(options.cache / f"{name}.json")
    shifts = HELD_BACK if options.held_back else SHIFTS
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for data in options.data:
        served = ServedSet(data, options.cache, draw=options.draw)
        scenes = _scenes(served, shifts)
        replay: Replay | None = None
        for seed in seeds:
            for scene, kinds in scenes.items():
                key = f"{served.name}/{scene}/{seed}"
                if key not in kept.rows and time.monotonic() < end:
                    replay = replay or Replay(served)
                    kept.keep(key, replay.said(scene, kinds[seed % len(kinds)], seed))
        _print(served.name, list(scenes), seeds, kept.rows)


def _print(name: str, scenes: list[str], seeds: range, rows: dict[str, Any]) -> None:
    print("\n| data | scene | right | what was said otherwise |\n|---|---|---|---|")
    whole = [seed for seed in seeds if all(f"{name}/{scene}/{seed}" in rows for scene in scenes)]
    right = {
        scene: [_is_right(scene, rows[f"{name}/{scene}/{seed}"]["said"]) for seed in whole]
        for scene in scenes
    }
    for scene, each in right.items():
        wrong = Counter(
            "{shift}: {said}".format(**rows[f"{name}/{scene}/{seed}"])
            for seed, is_right in zip(whole, each, strict=True)
            if not is_right
        )
        words = "; ".join(f"{text} ({count})" for text, count in wrong.items())
        print(f"| {name} | {scene} | {sum(each)} of {len(each)} | {words} |")
    together = sum(map(all, zip(*right.values(), strict=True)))
    print(f"| {name} | all of these | {together} of {len(whole)} | |", flush=True)


def _is_right(scene: str, said: list[str]) -> bool:
    """Whether the actions, one for each look, were the right ones."""
    if scene in _AT_EACH_LOOK:
        return set(said) == {_AT_EACH_LOOK[scene]}
    return said[-1] == _IN_THE_END.get(scene, "page")


def _scenes(served: ServedSet, shifts: tuple[str, ...]) -> dict[str, list[str]]:
    """Which changes each scene takes in turn."""
    clean = _accuracy(served.answers("clean"))
    tried = [
        shift
        for shift in (*shifts, *_MILD)
        if not (served.is_grey and shift.startswith("grey"))  # which changes nothing
    ]
    losses = {shift: clean - _accuracy(served.answers(shift)) for shift in tried}
    scenes = {
        "quiet": ["clean"],
        "harmless": [shift for shift, loss in losses.items() if loss < _BEARABLE],
        "harmful": [shift for shift, loss in losses.items() if loss > _HARM],
        "black": ["black"],
        "swapped": ["swapped"],
        "empty": ["clean"],
    }
    if served.is_grey:
        del scenes["swapped"]
    return {scene: kinds for scene, kinds in scenes.items() if kinds}


class Replay:
    """The monitor of a version, made once for all streams of a data set."""

    def __init__(self, served: ServedSet) -> None:
        self._served = served
        self._watch = Watch(served.reference(), DriftSettings())

    def said(self, scene: str, shift: str, seed: int) -> dict[str, Any]:
        """The change, and the action after each look from the change on."""
        order = np.random.default_rng(seed).permutation(self._served.live)
        before, after = order[:_BEFORE], order[_BEFORE : _BEFORE + _AFTER]
        if scene == "quiet":
            after = order[_BEFORE:]
        watch = copy.deepcopy(self._watch)
        watch.add(observations(watch.reference, self._served.answers("clean")[before]))
        changed = self._served.answers(shift)[after]
        images = observations(watch.reference, changed, start=1.7e9 + _BEFORE)
        said = []
        for at in range(0, len(images), _STEP):
            watch.add(images[at : at + _STEP])
            seen = _BEFORE + min(at + _STEP, len(images))
            statuses = {"OK": seen}
            if scene == "empty":
                refused = (at + _STEP) // 2
                statuses = {"OK": seen - refused, "INVALID_ARGUMENT": refused}
            drift = watch.drift.report()
            accuracy = watch.accuracy_since(drift)
            faults = watch.faults(Traffic(statuses))
            now = float(images.times[: at + _STEP][-1])
            said.append(decide(drift, accuracy, faults, now).action)
        return {"shift": shift, "said": said}


def _accuracy(answers: Answers) -> float:
    return float((answers.probabilities.argmax(axis=1) == answers.labels).mean())


if __name__ == "__main__":
    main()
