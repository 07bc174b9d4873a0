"""Runs one arm in a process of its own, on so many cores, and writes what came of it.

    python -m benchmarks.search.live.one_arm ARM SITUATION CORES OUT

SITUATION is a file, a `Situation` as JSON, and OUT one that is there when all went well. The clock
of the arm starts behind the imports and ends when its model is chosen; then the test images are
answered.
"""

import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Runs it."""
    arm, situation_file, cores, out = sys.argv[1:]
    # Before TensorFlow counts them.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
    from benchmarks.search.live.arm_names import find_arm
    from benchmarks.search.live.situation import Clock, Situation
    from models.storage.atomic_write import write_atomically

    run, situation = find_arm(arm), Situation.model_validate_json(Path(situation_file).read_bytes())
    begun = time.process_time()
    outcome = run(situation, Clock(situation.seconds))
    figures = {**outcome.model_dump(), "cpu_seconds": round(time.process_time() - begun, 1)}
    write_atomically(Path(out), json.dumps(figures).encode())


if __name__ == "__main__":
    main()
