"""One thread for each image beside all cores for one: what the embedded server's default gains.

A backbone of Keras Applications with random weights is loaded as the server loads a model, in a
process of its own for each number of threads, and run on one image and on 16.

    ./dev bench one_thread --model EfficientNetB0 --size 224
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))

from models.numerics import compute_with_onednn  # noqa: E402

compute_with_onednn()

_BATCHES = (1, 16)


def main() -> None:
    """Prints the milliseconds a run, a line for each number of threads."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", default="EfficientNetB0", help="of keras.applications")
    parser.add_argument("--size", type=int, default=224, help="side of its images in pixels")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--export", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.export is not None:
        _export(asked.model, asked.size, asked.export)
    elif asked.measure is not None:
        print(_measure(asked.measure, asked.size, asked.threads, asked.seconds))
    else:
        with tempfile.TemporaryDirectory(prefix="graft-threads-") as folder:
            _step("--export", folder)
            for threads in (1, os.cpu_count() or 1):
                measured = _step("--measure", folder, "--threads", str(threads))
                print(f"{asked.model} at {asked.size} px, threads {threads}: {measured}")


def _step(*arguments: str) -> str:
    """Runs a part of this file in a process of its own; returns its last line."""
    command = [sys.executable, *sys.argv, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[-1] if done.stdout else ""


def _export(name: str, size: int, folder: Path) -> None:
    import keras

    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3))
    model.export(folder, verbose=False)


def _measure(folder: Path, size: int, threads: int, seconds: float) -> str:
    import numpy as np

    from serving.servables.loader import DEFAULT_SIGNATURE, LoadedModel
    from serving.servables.parallelism import Parallelism

    model = LoadedModel(folder, Parallelism(intra_op=threads))
    signature = model.signatures[DEFAULT_SIGNATURE]
    (feed,) = (one.name for one in signature.inputs.values())
    fetches = [one.name for one in signature.outputs.values()]
    told = []
    for batch in _BATCHES:
        images = np.random.default_rng(0).random((batch, size, size, 3), np.float32)
        for _ in range(3):
            model.run({feed: images}, fetches)
        begin, runs = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            model.run({feed: images}, fetches)
            runs += 1
        milliseconds = 1000 * (time.perf_counter() - begin) / runs
        told.append(f"{milliseconds:.1f} ms for a batch of {batch}")
    return ", ".join(told)


if __name__ == "__main__":
    main()
